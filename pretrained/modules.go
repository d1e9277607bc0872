package pretrained

import (
	"context"

	"github.com/linnet-ml/linnet/internal/shown"
	"github.com/linnet-ml/linnet/internal/tfhub"
)

// ErrModuleNotFound is wrapped by the errors of [FindModule] and [OpenModule] for a module that none of the folders has as a
// whole, whether they have nothing or a part of it. It is when fetch.Module has something to download.
var ErrModuleNotFound = tfhub.ErrNotFound

// ModuleNames are the modules that [FindModule] and [OpenModule] know by a name alone: nnlm-en-dim50,
// nnlm-en-dim50-with-normalization, nnlm-en-dim128 and nnlm-en-dim128-with-normalization, each in version 2 by google.
func ModuleNames() []string { return tfhub.Names() }

// FindModule returns the folder of a TensorFlow Hub module that was downloaded before, without opening it. The module
// goes by its name, one of [ModuleNames], by PUBLISHER/NAME/VERSION, such as google/nnlm-en-dim50/2, or by its URL, such as
// https://tfhub.dev/google/nnlm-en-dim50/2; NAME may have slashes. Kaggle, which hosts these modules today, calls it
// google/nnlm/tensorFlow2/en-dim50/1 (OWNER/MODEL/FRAMEWORK/VARIATION/VERSION): that name and its URL,
// https://www.kaggle.com/models/google/nnlm/tensorFlow2/en-dim50/1, stand for the same module.
//
// It looks where package pretrained/fetch downloads to: into tfhub/PUBLISHER/NAME/VERSION in the folder $LINNET_DATA,
// then in the folder linnet in the user's cache folder (os.UserCacheDir). Then it looks where Python's tensorflow_hub
// keeps modules: in $TFHUB_CACHE_DIR, or else in tfhub_modules in the folder for temporary files, under the sha1 of the
// URL. Last, for modules of which Kaggle's name is known, those of ModuleNames and those that were named so, it looks where
// Python's kagglehub keeps them: in models in $KAGGLEHUB_CACHE, or else in .cache/kagglehub in the user's home folder.
//
// A folder that has only a part of a module, without the index of its variables for example, is passed over. If no other has
// the module, the error names it and what it lacks.
//
// A name that is not known is an error which lists those that are. When no folder has the whole module, the error lists the
// folders and wraps [ErrModuleNotFound], and fs.ErrNotExist too if none has a part of it; fetch.Module downloads it.
func FindModule(nameOrURL string) (folder string, err error) {
	m, err := tfhub.Parse(nameOrURL)
	if err != nil {
		return "", shown.Errorf("pretrained: %w", err)
	}
	if folder, err = m.Find(); err != nil {
		return "", shown.Errorf("pretrained: %w", err)
	}
	return folder, nil
}

// OpenModule opens a TensorFlow Hub module that was downloaded before: [FindModule], then [OpenHub]. The embedding's
// default name is the module's, such as nnlm-en-dim50, whatever its folder is called. When no folder has the whole module the
// error wraps [ErrModuleNotFound].
func OpenModule(ctx context.Context, nameOrURL string, o HubOptions) (*Embedding, error) {
	if ctx == nil {
		return nil, errNilContext
	}
	m, err := tfhub.Parse(nameOrURL)
	if err != nil {
		return nil, shown.Errorf("pretrained: %w", err)
	}
	folder, err := m.Find()
	if err != nil {
		return nil, shown.Errorf("pretrained: %w", err)
	}
	if o.Name == "" {
		o.Name = m.Name()
	}
	return OpenHub(ctx, folder, o)
}
