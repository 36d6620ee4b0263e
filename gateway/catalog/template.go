package catalog

import "strings"

// The bounds of matching. A template beyond them stands for its own text alone,
// and a URI beyond them matches none. They keep the dearest match well below a
// millisecond; a usual one takes a tenth of a microsecond.
const (
	maxTemplate    = 2 << 10
	maxExpressions = 16
	maxMatched     = 2 << 10
)

// template is a URI template (RFC 6570, levels 1 to 3), ready to tell whether a
// URI may have come out of it. It tells that, and not what the variables were.
type template struct {
	backend  string
	text     string
	head     string // the literal before the first expression
	parts    []part // all that follows
	literals int    // how many bytes are literal: what makes one template more specific than another
}

// part is a literal, or an expression: a run of one byte or more, or something
// that may be missing and begins with lead when it is not.
type part struct {
	literal string
	lead    byte
	slash   bool // the run may hold slashes
}

// compile reads a template. It answers false when no URI but the text itself can
// match: there is no expression, or one that RFC 6570 does not know.
func compile(backend, text string) (template, bool) {
	t := template{backend: backend, text: text}
	if len(text) > maxTemplate {
		return t, false
	}
	rest, expressions := text, 0
	for {
		literal, tail, found := strings.Cut(rest, "{")
		if strings.IndexByte(literal, '}') >= 0 {
			return t, false
		}
		t.literals += len(literal)
		if expressions == 0 {
			t.head = literal
		} else if literal != "" {
			t.parts = append(t.parts, part{literal: literal})
		}
		if !found {
			return t, expressions > 0
		}
		body, tail, closed := strings.Cut(tail, "}")
		p, ok := expression(body)
		if expressions++; !closed || !ok || expressions > maxExpressions {
			return t, false
		}
		t.parts = append(t.parts, p)
		rest = tail
	}
}

// expression reads what stands between two braces. A variable with an asterisk
// is of level 4, but much used for "the rest of the path".
func expression(body string) (part, bool) {
	var p part
	if body == "" {
		return p, false
	}
	switch body[0] {
	case '+':
		p.slash = true
	case '#', '?', '&':
		p.lead, p.slash = body[0], true
	case '.', '/', ';':
		p.lead = body[0]
	}
	variables := body
	if p.lead != 0 || p.slash {
		variables = body[1:]
	}
	if p.lead == '/' && strings.IndexByte(variables, ',') >= 0 || strings.HasSuffix(variables, "*") {
		p.slash = true
	}
	return p, variables != "" && !strings.ContainsAny(variables, "{=!@|+#/;?& ")
}

// match reports whether uri may be an expansion of the template. It follows all
// ways through the template at once, part by part, so that its time grows with
// the length of the URI times the number of parts, whatever the two look like.
func (t *template) match(uri string) bool {
	if len(uri) > maxMatched || !strings.HasPrefix(uri, t.head) {
		return false
	}
	rest := uri[len(t.head):]
	if !strings.HasSuffix(rest, t.parts[len(t.parts)-1].literal) {
		return false
	}
	if len(t.parts) == 1 && t.parts[0].lead == 0 {
		return rest != "" && (t.parts[0].slash || strings.IndexByte(rest, '/') < 0)
	}
	var short [256]bool
	r := reach{rest: rest, ends: short[:], hi: 0}
	if len(rest) >= len(short) {
		r.ends = make([]bool, len(rest)+1)
	}
	r.ends[0] = true
	for i := range t.parts {
		switch p := &t.parts[i]; {
		case p.literal != "":
			r.literal(p.literal)
		case p.lead != 0:
			r.option(p)
		default:
			r.run(p)
		}
		if r.lo > r.hi {
			return false
		}
	}
	return r.hi == len(rest) && r.ends[r.hi]
}

// reach is where in rest the parts so far may end: at i when ends[i] is set and i
// lies between lo and hi, which are set themselves.
type reach struct {
	rest   string
	ends   []bool
	lo, hi int
}

// literal goes backwards, for where a literal ends depends on what lies before.
func (r *reach) literal(text string) {
	lo, hi := len(r.rest)+1, -1
	for from := min(r.hi, len(r.rest)-len(text)); from >= r.lo; from-- {
		at := from + len(text)
		r.ends[at] = r.ends[from] && r.rest[from] == text[0] && r.rest[from:at] == text
		if r.ends[at] {
			lo, hi = at, max(hi, at)
		}
	}
	r.lo, r.hi = lo, hi
}

func (r *reach) run(p *part) {
	if p.slash { // it may end anywhere behind the first place
		r.lo++
		for at := r.lo; at <= len(r.rest); at++ {
			r.ends[at] = true
		}
		r.hi = len(r.rest)
		return
	}
	lo, hi := len(r.rest)+1, -1
	inside := false // a run that began before may go on
	for at := r.lo; at <= len(r.rest) && (inside || at <= r.hi); at++ {
		inside = inside && r.rest[at-1] != '/'
		began := at <= r.hi && r.ends[at]
		r.ends[at] = inside
		if inside {
			lo, hi = min(lo, at), at
		}
		inside = inside || began
	}
	r.lo, r.hi = lo, hi
}

func (r *reach) option(p *part) {
	hi := r.hi
	inside, began := false, false // began: the option may begin with the byte before at
	for at := r.lo; at <= len(r.rest) && (inside || began || at <= r.hi); at++ {
		if at > 0 {
			c := r.rest[at-1]
			inside = inside && (p.slash || c != '/') || began && c == p.lead
		}
		began = at <= r.hi && r.ends[at]
		r.ends[at] = began || inside
		if inside {
			hi = max(hi, at)
		}
	}
	r.hi = hi
}
