// Package callbacks has what watches and steers a Fit: [Progress] shows how it gets on, [EarlyStopping] ends it when it
// no longer gets better, [ReduceLROnPlateau] then takes smaller steps, [LearningRateScheduler] sets their size from epoch to
// epoch, [TerminateOnNaN] ends it quietly when the loss is no number, [CSVLogger] keeps its numbers in a file, [ModelCheckpoint]
// saves the model, all of them or the best, [BackupAndRestore] lets a training that was killed go on. They do what Keras's
// callbacks of these names do.
//
// Callbacks are specs, plain structs: one may serve several Fits. What they remember is part of the training state, so a
// Fit that goes on from a state acts as if there had been one. They act in the order in which FitOptions.Callbacks lists
// them, so one that adds to the logs stands before those that read them.
package callbacks
