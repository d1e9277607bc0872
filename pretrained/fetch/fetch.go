package fetch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/linnet-ml/linnet/internal/bundle"
	"github.com/linnet-ml/linnet/internal/cache"
	"github.com/linnet-ml/linnet/internal/download"
	"github.com/linnet-ml/linnet/internal/plainfile"
	"github.com/linnet-ml/linnet/internal/ratio"
	"github.com/linnet-ml/linnet/internal/savedmodel"
	"github.com/linnet-ml/linnet/internal/shown"
	"github.com/linnet-ml/linnet/internal/tfhub"
)

// errNilContext reports a call without a context.
var errNilContext = errors.New("fetch: the context is nil")

// Options say how to download. The zero value downloads from TensorFlow Hub into the folder that package pretrained
// looks into.
type Options struct {
	// Folder is where modules go: each into Folder/tfhub/PUBLISHER/NAME/VERSION. Empty: $LINNET_DATA, or else the folder
	// linnet in the user's cache folder ([os.UserCacheDir]); then nothing is downloaded that pretrained.FindModule finds
	// in any of the folders that it looks into. Models that only Kaggle has are not downloaded: neither Folder nor Mirror
	// counts for them.
	Folder string
	// Mirror is the URL of a folder that has the module's archive as PUBLISHER/NAME/VERSION.tar.gz. Empty: TensorFlow
	// Hub, https://tfhub.dev.
	Mirror string
	// Client makes the requests. Default: a client that takes the proxy from the environment. Redirects are followed
	// whatever it says, but not from https to http.
	Client *http.Client
	// Progress is called from time to time with the name of the module, how many bytes of its archive are there, and
	// how many there will be, or -1 when that is not known. The last call, with done == total, says that all bytes are
	// there; then they are still to unpack, which takes seconds.
	Progress func(name string, done, total int64)
	// MaxRatio is how many times its size an archive may unpack to, and 16 MiB beside. Default 100: one that is packed more
	// tightly is refused and removed. Archives of modules unpack to about their size.
	MaxRatio int
}

func (o Options) limit() ratio.Limit {
	return ratio.Limit{Ratio: o.MaxRatio, Option: "Options.MaxRatio"}
}

// maxArchive bounds the archive, and what is unpacked from it. The largest text modules have 1 GB.
const maxArchive = 4 << 30

// Module returns the folder of a TensorFlow Hub module, which it downloads and unpacks if need be. The module goes by
// its name, one of pretrained.ModuleNames, by google/nnlm-en-dim50/2 or its URL, https://tfhub.dev/google/nnlm-en-dim50/2, or
// by Kaggle's name, google/nnlm/tensorFlow2/en-dim50/1, or its URL; see pretrained.FindModule. Other models of Kaggle's than
// those of ModuleNames are found where kagglehub has put them, whatever Options.Folder says, but not downloaded. The table of nnlm-en-dim50 alone has 193
// MB, that of nnlm-en-dim128 493 MB.
//
// The archive is unpacked into a folder beside the module's place, held against its checksums (gzip's, and those of the
// variables), and moved to its place as a whole. TensorFlow Hub publishes no sums of the archives, so that nothing else
// can be said of the content. An archive that holds other things than files and folders, names that lead out of it, more
// than 4 GiB, more than 10,000 files or no model is refused and removed. Any number of processes may call Module at
// once: one downloads, the others wait for it.
//
// When ctx ends or the connection breaks for good, what has come so far stays, as VERSION.tar.gz.part beside the
// module's place, and the next call goes on with it. A VERSION.tar.gz that lies there already is unpacked in place of a
// download, and removed when the module is in its place.
func Module(ctx context.Context, nameOrURL string, o Options) (folder string, err error) {
	if ctx == nil {
		return "", errNilContext
	}
	if err := o.limit().Check(); err != nil {
		return "", shown.Errorf("fetch: %w", err)
	}
	m, err := tfhub.Parse(nameOrURL)
	if err != nil {
		return "", shown.Errorf("fetch: %w", err)
	}
	if m.Path == "" { // only Kaggle has it
		if folder, err = m.Find(); errors.Is(err, tfhub.ErrNotFound) {
			err = fmt.Errorf("%w; kagglehub.model_download(%q) in Python downloads it", err, m.Kaggle)
		}
		if err != nil {
			return "", shown.Errorf("fetch: %w", err)
		}
		return folder, nil
	}
	if folder = o.Folder; folder == "" {
		found, err := m.Find()
		if err == nil {
			return found, nil
		}
		if errors.Is(err, tfhub.ErrNotFound) {
			folder, err = cache.Folder()
		}
		if err != nil {
			return "", shown.Errorf("fetch: %w", err)
		}
	}
	folder = m.Folder(folder)
	if err := o.bring(ctx, m, folder); err != nil {
		// Where there are no locks another process may have been faster.
		if there, _ := tfhub.Exists(folder); !there || ctx.Err() != nil {
			return "", shown.Errorf("fetch: %w", err)
		}
	}
	return folder, nil
}

// bring downloads and unpacks the module into its folder unless it is there.
func (o Options) bring(ctx context.Context, m tfhub.Module, folder string) error {
	if there, err := tfhub.Exists(folder); there || err != nil {
		return err
	}
	parent := filepath.Dir(folder)
	if err := os.MkdirAll(parent, 0o777); err != nil {
		return err
	}
	archive := folder + ".tar.gz"
	progress := func(done, total int64) {
		if o.Progress != nil {
			o.Progress(m.Name(), done, total)
		}
	}
	release, err := download.Lock(ctx, folder+".lock", func() {
		if done, ok := download.Arrived(archive); ok {
			progress(done, -1)
		}
	})
	alone := err == nil
	switch {
	case alone:
		defer release()
	case !errors.Is(err, errors.ErrUnsupported):
		return err
	}
	if there, err := tfhub.Exists(folder); there || err != nil {
		return err
	}
	// Better now than after the download.
	if err := makeRoom(folder); err != nil {
		return err
	}

	_, err = os.Stat(archive)
	found := err == nil
	file := download.File{URL: m.URL() + "?tf-hub-format=compressed", Name: filepath.Base(archive), MaxSize: maxArchive}
	if o.Mirror != "" {
		file.URL = strings.TrimSuffix(o.Mirror, "/") + "/" + m.Path + ".tar.gz"
	}
	_, err = download.Fetch(ctx, parent, file, download.Options{
		Client:   o.Client,
		Progress: func(_ string, done, total int64) { progress(done, total) },
	})
	if err != nil {
		return err
	}
	err = install(ctx, archive, folder, alone, o.limit())
	switch {
	case err == nil:
		os.Remove(archive)
		return nil
	case !errors.As(err, new(malformed)):
		// The archive may be good, and the next call need not download it again.
		return fmt.Errorf("%s: %w", archive, err)
	case found:
		return fmt.Errorf("%s, which lay there already, is no archive of a module: %w; remove it to download it again", archive, err)
	default:
		os.Remove(archive)
		return fmt.Errorf("%s: what came is no archive of a module: %w; it was removed", file.URL, err)
	}
}

// makeRoom removes an empty folder at the module's place; anything else that is no module is not ours to remove.
func makeRoom(folder string) error {
	info, err := os.Lstat(folder)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.IsDir() && os.Remove(folder) == nil:
		return nil
	}
	if missing, err := tfhub.Missing(folder); err == nil && missing != "saved_model.pb" {
		return fmt.Errorf("%s has only a part of the module: it lacks %s; remove the folder to download the module again", folder, missing)
	}
	return fmt.Errorf("%s is the module's place, but no module lies there; remove it", folder)
}

// install unpacks the archive and moves the module to its folder. alone says that no other process does so.
func install(ctx context.Context, archive, folder string, alone bool, limit ratio.Limit) (err error) {
	f, _, err := plainfile.OS(archive)
	if err != nil {
		return err
	}
	defer f.Close()
	parent, base := filepath.Dir(folder), filepath.Base(folder)
	if alone {
		removeLeft(parent, base)
	}
	temp, err := os.MkdirTemp(parent, base+".*.tmp")
	if path := (*fs.PathError)(nil); errors.As(err, &path) {
		return fmt.Errorf("%s cannot be made: %w", folder, path.Err)
	} else if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	// MkdirTemp's folder is for the user alone, a cache may be for all.
	unpacked := filepath.Join(temp, "module")
	defer func() { err = shown.Instead(err, unpacked, folder) }()
	if err := os.Mkdir(unpacked, 0o777); err != nil {
		return err
	}
	if err := unpack(ctx, unpacked, f, limits{bytes: maxArchive, files: 10_000, packed: limit}); err != nil {
		return err
	}
	if err := verify(ctx, unpacked); err != nil {
		return err
	}
	return os.Rename(unpacked, folder)
}

// removeLeft removes what processes have left that died while they unpacked.
func removeLeft(parent, base string) {
	entries, _ := os.ReadDir(parent)
	for _, e := range entries {
		if name := e.Name(); strings.HasPrefix(name, base+".") && strings.HasSuffix(name, ".tmp") {
			os.RemoveAll(filepath.Join(parent, name))
		}
	}
}

// verify reads the model and all of its variables.
func verify(ctx context.Context, dir string) error {
	_, err := savedmodel.Read(ctx, dir)
	if err == nil {
		var b *bundle.Bundle
		if b, err = bundle.Open(ctx, filepath.Join(dir, "variables", "variables")); err == nil {
			err = b.Verify(ctx)
		}
	}
	if err == nil || ctx.Err() != nil {
		return err
	}
	// The files were written a moment ago: what cannot be read is what came.
	return malformed{errors.New(strings.ReplaceAll(err.Error(), dir+string(filepath.Separator), ""))}
}
