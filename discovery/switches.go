package discovery

// Switches are what people switched off, whoever wants it: it stays known, and
// clients see nothing of it. A plain value, not changed once it was handed out.
type Switches struct {
	// All backends are off: what people switched off cannot be known.
	All bool
	// Backends are off as a whole: they are not connected.
	Backends map[string]bool
	// Tools are off one by one, by backend and by the backend's own name of the tool, so
	// that they stay so whatever clients know them by.
	Tools map[string]map[string]bool
}

// Switcher takes switches.
type Switcher interface {
	// Switch says that exactly these are off. Later ones replace earlier ones. It never
	// blocks on I/O, and may be called from any goroutine.
	Switch(Switches)
}
