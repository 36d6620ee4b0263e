package docker

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"mcp-gw/discovery"
)

// DefaultLabelPrefix stands before every label, with a dot.
const DefaultLabelPrefix = "mcp-gw"

// Bounds on what is read from one container.
const (
	maxLabels     = 128
	maxLabelValue = 4096
	maxBackends   = 16
)

// severalKey begins the labels of a container with several backends:
// backends.<name>.<key>.
const severalKey = "backends."

// spec is what labels say of one backend.
type spec struct {
	settings
	// prefix stands before its keys: mcp-gw, or mcp-gw.backends.<name>.
	prefix string
	// given are the values that were taken from labels, as they may be shown, by
	// key. A family's keys have their member.
	given       map[string]string
	diagnostics []discovery.Diagnostic
}

// parsed is what the labels of one container come to. The spec is that of the
// root keys: the container's one backend, or the defaults of several.
type parsed struct {
	spec
	several  []spec // sorted by name; nil for a container with one backend
	labelled bool   // at least one label has the prefix
	nearMiss bool   // at least one label looks as if it was meant to
	// shown are the labels that concern the gateway, values masked.
	shown map[string]string
}

// firstError returns the first error, the one that keeps a backend out.
func firstError(ds []discovery.Diagnostic) (discovery.Diagnostic, bool) {
	i := slices.IndexFunc(ds, func(d discovery.Diagnostic) bool { return d.Severity == discovery.SeverityError })
	if i < 0 {
		return discovery.Diagnostic{}, false
	}
	return ds[i], true
}

// parseLabels reads the labels of one container. It never fails: what cannot be
// used becomes a diagnostic, and an error among those keeps the backend out, or
// all of the container's when it is at the root.
func parseLabels(prefix string, labels map[string]string) parsed {
	p := parsed{spec: spec{settings: defaults(), prefix: prefix, given: map[string]string{}}, shown: map[string]string{}}
	var root []string
	misspelt := 0
	named := map[string][]string{} // backend → its labels
	// Sorted, so that the same labels always give the same remarks. A lower-case
	// key sorts behind its upper-case twin, so the later one is the right one.
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		if rest, ok := cutPrefixFold(key, prefix+"."); ok {
			p.labelled = true
			rest = lowerASCII(rest)
			p.shown[clip(key)] = show(rest, labels[key])
			name, _, several := cutBackend(rest)
			if several {
				named[name] = append(named[name], key)
			} else {
				root = append(root, key)
			}
			continue
		}
		if want, ok := nearMiss(prefix, key); ok {
			p.nearMiss = true
			if misspelt++; misspelt > maxLabels {
				continue
			}
			want = p.spelt(want)
			meant, value := want[len(prefix)+1:], labels[key]
			shown := show(meant, value)
			p.shown[clip(key)] = shown
			p.remark(discovery.SeverityWarning, codeMisspelt, key, shown,
				fmt.Sprintf("label %q is ignored, because it does not begin with %q: did you mean %q?", clip(key), prefix+".", clip(want)), p.corrected(want, value, veil(meant, value) != value))
		}
	}
	if misspelt > maxLabels {
		p.remark(discovery.SeverityWarning, codeTooMany, prefix, "",
			fmt.Sprintf("%d labels have a misspelt prefix, %d are told of", misspelt, maxLabels), "write them with the prefix "+prefix+".")
	}
	n := len(root)
	for _, keys := range named {
		n += len(keys)
	}
	if n > maxLabels {
		p.fail(codeTooMany, prefix, fmt.Sprintf("%d labels begin with %q, at most %d are read", n, prefix+".", maxLabels), "remove some")
		p.shown = map[string]string{}
		return p
	}
	p.takeAll(root, labels)
	if len(named) == 0 {
		return p
	}
	if len(named) > maxBackends {
		p.fail(codeTooMany, prefix+"."+severalKey, fmt.Sprintf("%d backends in one container, at most %d are read", len(named), maxBackends), "remove some")
		return p
	}
	if p.name != "" {
		p.fail(codeMixed, prefix+".name", fmt.Sprintf("%s.name beside %s.%s*: the container has one backend or several", prefix, prefix, severalKey),
			"remove "+prefix+".name")
	}
	for _, name := range slices.Sorted(maps.Keys(named)) {
		s := spec{settings: p.settings.clone(), prefix: prefix + "." + severalKey + name, given: maps.Clone(p.given)}
		s.name = name
		if err := checkName(name); err != nil {
			s.name = clip(name)
			s.fail(codeBadValue, s.prefix, fmt.Sprintf("%q %v; not registered", clip(name), err), fmt.Sprintf("%s.%s%s.…", prefix, severalKey, otherName(name)))
		}
		s.takeAll(named[name], labels)
		p.several = append(p.several, s)
	}
	return p
}

// cutBackend splits the key of one of several backends.
func cutBackend(key string) (name, rest string, ok bool) {
	if key, ok = strings.CutPrefix(key, severalKey); !ok {
		return "", "", false
	}
	name, rest, ok = strings.Cut(key, ".")
	return name, rest, ok && name != "" && rest != ""
}

// takeAll applies the labels of one spec, which come sorted.
func (s *spec) takeAll(keys []string, labels map[string]string) {
	seen := map[string]string{} // lower-cased key → the label that set it
	for _, key := range keys {
		// The name of a tool may differ from another in case alone.
		same := lowerASCII(key)
		if l, rest, ok := lookup(key[len(s.prefix)+1:]); ok && l.key == "tools.rename." {
			same = lowerASCII(key[:len(key)-len(rest)]) + rest
		}
		if other, twice := seen[same]; twice && labels[other] != labels[key] {
			s.fail(codeTwice, key, fmt.Sprintf("labels %q and %q contradict each other", clip(other), clip(key)), "remove one of the two")
			continue
		}
		seen[same] = key
		s.take(key, labels[key])
	}
}

// take applies one label. key has the prefix, in any case.
func (s *spec) take(key, value string) {
	rest := key[len(s.prefix)+1:]
	lower := lowerASCII(rest)
	shown := show(lower, value)
	l, member, known := lookup(rest)
	if secretValue(value) || discovery.SecretName(lower) && !namesSecret(lower) && l.key != "tools.rename." {
		instead := fmt.Sprintf("%[1]s.auth=bearer and %[1]s.auth.secret=<secret name>", s.prefix)
		switch {
		case l.key == "headers.":
			instead = fmt.Sprintf("%s.secret-headers.%s=<secret name>", s.prefix, clip(member))
		case namesSecret(lower):
			instead = clip(key) + "=<secret name>"
		}
		fix := instead + ", with the secret in a file of that name in the gateway's MCP_GW_SECRETS_DIR"
		s.remark(discovery.SeverityWarning, codeSecret, key, masked,
			fmt.Sprintf("label %q seems to hold a secret; everybody who may inspect the container can read it", clip(key)), fix)
	}
	if !known {
		s.unknown(key, rest, value, shown)
		return
	}
	// What a family has behind the dot is written in any case; the rest is not.
	if head := len(key) - len(member); key[:head] != lowerASCII(key[:head]) {
		s.remark(discovery.SeverityWarning, codeLabelCase, key, shown,
			fmt.Sprintf("label %q is understood, but label keys are lower case", clip(key)), lowerASCII(key[:head])+key[head:])
	}
	if l.key == "name" && strings.Contains(s.prefix, "."+severalKey) {
		s.fail(codeMixed, key, fmt.Sprintf("%s: the name stands in the key already", clip(key)), "remove "+clip(key))
		return
	}
	var remark string
	var err error
	if len(value) > maxLabelValue {
		err = refuse("", "is longer than %d bytes", maxLabelValue)
	} else {
		remark, err = l.set(&s.settings, member, strings.TrimSpace(value))
	}
	if err != nil {
		s.refused(l, member, key, shown, err, veil(lower, value) != value)
		return
	}
	s.given[l.key+clip(member)] = strings.TrimSpace(shown)
	if remark != "" {
		s.remark(discovery.SeverityInfo, codeAlias, key, shown, fmt.Sprintf("%s=%s %s", clip(key), shown, remark), "")
	}
}

// refused tells why a value was not taken. A fix made of a masked value would unmask it.
func (s *spec) refused(l label, member, key, shown string, err error, hidden bool) {
	fix := fmt.Sprintf("%s.%s", s.prefix, l.key)
	if l.family() {
		fix += l.placeholder()
	}
	var v valueError
	if errors.As(err, &v) && v.fix != "" && !hidden {
		fix += "=" + v.fix
	} else {
		fix += "=" + l.example
	}
	severity, consequence := discovery.SeverityError, "not registered"
	if !l.strict {
		severity, consequence = discovery.SeverityWarning, "the default applies"
	}
	message := fmt.Sprintf("%s=%q %v; %s", clip(key), shown, err, consequence)
	s.remark(severity, codeBadValue, key, shown, message, fix)
}

func (s *spec) unknown(key, rest, value, shown string) {
	lower := lowerASCII(rest)
	message, fix := fmt.Sprintf("unknown label %q is ignored", clip(key)), ""
	hidden := veil(lower, value) != value
	if a := advice[lower]; a != "" {
		fix = strings.ReplaceAll(a, DefaultLabelPrefix+".", s.prefix+".")
		message += ": " + fix
	} else if g := guess(lower); g != "" {
		meant := s.prefix + "." + withMember(g, rest)
		message += fmt.Sprintf(": did you mean %s?", clip(meant))
		if opposites[lower] {
			value = opposite(value)
		}
		fix = s.corrected(meant, value, hidden)
	}
	s.remark(discovery.SeverityWarning, codeUnknownLabel, key, shown, message, fix)
}

// fail notes a mistake that keeps the backend out.
func (s *spec) fail(code, label, message, fix string) {
	s.remark(discovery.SeverityError, code, label, "", message, fix)
}

func (s *spec) remark(severity discovery.Severity, code, key, value, message, fix string) {
	s.diagnostics = append(s.diagnostics, discovery.Diagnostic{
		Severity: severity, Code: code, Label: clip(key), Value: value, Message: message, Suggestion: clip(fix),
	})
}

// refusedLabel reports whether the label of key is among the remarks already: one
// mistake is told once.
func (s *spec) refusedLabel(key string) bool {
	label := s.prefix + "." + key
	return slices.ContainsFunc(s.diagnostics, func(d discovery.Diagnostic) bool { return strings.EqualFold(d.Label, label) })
}

// has reports whether one of the keys, or a member of such a family, was given.
func (s *spec) has(keys ...string) (key string, ok bool) {
	for _, k := range slices.Sorted(maps.Keys(s.given)) {
		for _, want := range keys {
			if k == want || strings.HasSuffix(want, ".") && strings.HasPrefix(k, want) {
				return k, true
			}
		}
	}
	return "", false
}

// clip bounds label keys in what people read.
func clip(s string) string {
	if len(s) <= 2*maxShown {
		return strings.ToValidUTF8(s, "�")
	}
	return strings.ToValidUTF8(s[:2*maxShown], "�") + "…"
}

func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || lowerASCII(s[:len(prefix)]) != prefix {
		return "", false
	}
	return s[len(prefix):], true
}
