package journal

// Mode is how much is kept and shown of what clients and backends say to each other.
type Mode string

// The modes.
const (
	// Redacted keeps arguments and results, with the secrets in them masked.
	Redacted Mode = "redacted"
	// Metadata keeps who called what, how long it took and how it ended.
	Metadata Mode = "metadata"
	// Full masks nothing.
	Full Mode = "full"
	// Off keeps no calls. They are counted all the same.
	Off Mode = "off"
)

// payloads reports whether arguments and results are kept.
func (m Mode) payloads() bool { return m == Redacted || m == Full }

// text is s as it may be shown.
func (m Mode) text(s string) string {
	if m == Full {
		return s
	}
	return RedactText(s)
}
