// Package fetch downloads the text modules of TensorFlow Hub that package pretrained reads, when a program asks for it.
//
//	folder, err := fetch.Module(ctx, "nnlm-en-dim50", fetch.Options{})
//	...
//	module, err := pretrained.OpenModule(ctx, "nnlm-en-dim50", pretrained.HubOptions{})
//
// What is there already is not downloaded again, be it that linnet or Python's tensorflow_hub or kagglehub brought it; what
// was cut off is gone on with; a module is in its place only when it was unpacked as a whole and its checksums are right. It is a
// package of its own so that programs that read modules from disk do not carry an HTTP client.
//
// # Where modules are
//
// TensorFlow Hub gives the archive of a module to who adds ?tf-hub-format=compressed to its URL. That is what
// tensorflow_hub, too, asks for. Since November 2023 the modules themselves lie at Kaggle: tfhub.dev is said to answer
// with a redirect to a signed address in storage.googleapis.com which is valid for some hours and needs no account.
// Module asks for a new one each time that it goes on with a download. The bucket of old,
// https://storage.googleapis.com/tfhub-modules, is said to answer 403 Forbidden.
//
// A model that Kaggle alone has, without a name on TensorFlow Hub, is not downloaded: kagglehub.model_download in Python
// brings it, and Module finds it there.
//
// Where tfhub.dev cannot be reached there are three ways: a mirror ([Options].Mirror); the archive, fetched by other
// means and put where Module would put it (see there); or the folder that it unpacks to, for pretrained.OpenHub.
package fetch
