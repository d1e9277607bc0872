package callbacks

import "github.com/linnet-ml/linnet/nn/plan"

// Kinds lists the package's kinds of specs, for plan.NewKinds: callbacks.
func Kinds() []plan.Spec {
	return []plan.Spec{
		BackupAndRestore{},
		CSVLogger{},
		EarlyStopping{},
		LearningRateScheduler{},
		ModelCheckpoint{},
		ProgressLine{},
		ReduceLROnPlateau{},
		TerminateOnNaN{},
	}
}
