// Package model keeps a model in one file: its layers, its weights, the words that its tokenizer knows, what its classes are
// called, and the state of its training, if that is to go on.
//
//	err := model.Save(ctx, "reviews.linnet", m, model.SaveOptions{})
//	file, err := model.Load(ctx, "reviews.linnet", model.LoadOptions{})
//	defer file.Close()
//	out, err := file.Model.Predict(ctx, texts, nn.PredictOptions{})
//
// The file is a safetensors file, so that every program that reads those can read the weights. FORMAT.md beside this
// package describes it to the byte. Loading one runs no code and trusts nothing in it: see [Load].
package model
