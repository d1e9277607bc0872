package plan

// Spec is plain data that says what to build: a layer, an initializer, a schedule, an optimizer, a loss, a metric, a
// callback, a tokeniser. Its Kind names its type in JSON: see [Kinds].
//
// It is an alias of a plain interface, so that packages that must not know this one can have specs, too.
type Spec = interface {
	// Kind is the class name, Keras's where it has one: "GlobalAveragePooling1D".
	Kind() string
}

// Layer is a spec: plain data that says what to build. It holds no parameters and no state, so one Layer value may
// stand in several models.
type Layer interface {
	Spec
	// Build adds the layer's parameters and operations to the plan and returns its outputs. A layer may apply other
	// layers ([Builder.Apply]). An error says what does not fit; its place and the layer's name are added by the caller.
	Build(b *Builder, in []Symbol) ([]Symbol, error)
}

// NamedLayer is a layer whose name can be set. The default is the Kind in snake case, numbered from the second on within
// the layer or model around it: "dense", "dense_1".
type NamedLayer interface {
	Layer
	// LayerName returns the name, or "" for the default.
	LayerName() string
}
