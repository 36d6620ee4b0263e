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
)

// parsed is what the labels of one container come to.
type parsed struct {
	settings
	given       map[string]bool // keys whose value was taken from a label
	labelled    bool            // at least one label has the prefix
	nearMiss    bool            // at least one label looks as if it was meant to
	diagnostics []discovery.Diagnostic
	// shown are the labels that concern the gateway, values masked.
	shown map[string]string
}

// bad returns the first error, the one that keeps the container out.
func (p parsed) bad() (discovery.Diagnostic, bool) {
	i := slices.IndexFunc(p.diagnostics, func(d discovery.Diagnostic) bool { return d.Severity == discovery.SeverityError })
	if i < 0 {
		return discovery.Diagnostic{}, false
	}
	return p.diagnostics[i], true
}

// parseLabels reads the labels of one container. It never fails: what cannot be
// used becomes a diagnostic, and an error among those keeps the container out.
func parseLabels(prefix string, labels map[string]string) parsed {
	p := parsed{settings: defaults(), given: map[string]bool{}, shown: map[string]string{}}
	seen := map[string]string{} // lower-cased key → the label that set it
	var ours []string
	// Sorted, so that the same labels always give the same remarks. A lower-case
	// key sorts behind its upper-case twin, so the later one is the right one.
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		if rest, ok := cutPrefixFold(key, prefix+"."); ok {
			p.labelled = true
			ours = append(ours, key)
			p.shown[clip(key)] = show(strings.ToLower(rest), labels[key])
			continue
		}
		if want, ok := nearMiss(prefix, key); ok {
			p.nearMiss = true
			p.shown[clip(key)] = show(strings.ToLower(key), labels[key])
			p.remark(discovery.SeverityWarning, codeMisspelt, key, show(strings.ToLower(key), labels[key]),
				fmt.Sprintf("label %q is ignored: did you mean %q?", clip(key), clip(want)), clip(want))
		}
	}
	if len(ours) > maxLabels {
		p.remark(discovery.SeverityError, codeTooMany, prefix, "",
			fmt.Sprintf("%d labels begin with %q, at most %d are read", len(ours), prefix+".", maxLabels), "remove some")
		return p
	}
	for _, key := range ours {
		lower := strings.ToLower(key)
		if other, twice := seen[lower]; twice && labels[other] != labels[key] {
			p.remark(discovery.SeverityError, codeTwice, key, "",
				fmt.Sprintf("labels %q and %q contradict each other", clip(other), clip(key)), "remove one of the two")
			continue
		}
		seen[lower] = key
		p.take(prefix, key, labels[key])
	}
	return p
}

// take applies one label. key has the prefix, in any case.
func (p *parsed) take(prefix, key, value string) {
	rest := key[len(prefix)+1:]
	lower := strings.ToLower(rest)
	shown := show(lower, value)
	l, tail, known := lookup(lower)
	_, later := reserved(lower)
	// Keys of later versions speak of secrets by name: auth.secret=github_token.
	if secretValue(value) || secretKey(lower) && !later {
		p.remark(discovery.SeverityWarning, codeSecret, key, masked,
			fmt.Sprintf("label %q seems to hold a secret; everybody who may inspect the container can read it", clip(key)),
			"keep the secret out of labels")
	}
	if !known {
		p.unknown(prefix, key, lower, shown)
		return
	}
	// The name of a header is written in any case; the rest of a key is not.
	if head := len(key) - len(tail); key[:head] != strings.ToLower(key[:head]) {
		right := strings.ToLower(key[:head]) + key[head:]
		p.remark(discovery.SeverityWarning, codeLabelCase, key, shown,
			fmt.Sprintf("label %q is understood, but label keys are lower case", clip(key)), right)
	}
	var remark string
	var err error
	if len(value) > maxLabelValue {
		err = refuse("", "is longer than %d bytes", maxLabelValue)
	} else {
		remark, err = l.set(&p.settings, tail, strings.TrimSpace(value))
	}
	if err != nil {
		p.refused(l, prefix, key, shown, err)
		return
	}
	p.given[strings.TrimSuffix(l.key, ".")] = true
	if remark != "" {
		p.remark(discovery.SeverityInfo, codeAlias, key, shown, fmt.Sprintf("%s=%s %s", clip(key), shown, remark), "")
	}
}

func (p *parsed) refused(l label, prefix, key, shown string, err error) {
	fix := fmt.Sprintf("%s.%s", prefix, l.key)
	if l.family() {
		fix += "<Name>"
	}
	var v valueError
	// A fix made of a masked value would unmask it.
	if errors.As(err, &v) && v.fix != "" && shown != masked {
		fix += "=" + v.fix
	} else {
		fix += "=" + l.example
	}
	severity, consequence := discovery.SeverityError, "not registered"
	if !l.strict {
		severity, consequence = discovery.SeverityWarning, "the default applies"
	}
	message := fmt.Sprintf("%s=%q %v; %s", clip(key), shown, err, consequence)
	p.remark(severity, codeBadValue, key, shown, message, fix)
}

func (p *parsed) unknown(prefix, key, lower, shown string) {
	if strict, ok := reserved(lower); ok {
		severity, consequence := discovery.SeverityWarning, "it is ignored"
		if strict {
			severity = discovery.SeverityError
			consequence = "ignoring it would show or reach more than was asked for, so the container is not registered"
		}
		p.remark(severity, codeUnsupported, key, shown,
			fmt.Sprintf("label %q is not supported by this version; %s", clip(key), consequence), "remove it, or use a newer gateway")
		return
	}
	message, fix := fmt.Sprintf("unknown label %q", clip(key)), ""
	if a := advice[lower]; a != "" {
		fix = strings.ReplaceAll(a, DefaultLabelPrefix+".", prefix+".")
		message += ": " + fix
	} else if g := guess(lower); g != "" {
		fix = prefix + "." + g
		message += fmt.Sprintf(": did you mean %s?", fix)
		if _, later := reserved(g); later {
			message += " It is not supported by this version"
		}
	}
	p.remark(discovery.SeverityWarning, codeUnknownLabel, key, shown, message, fix)
}

func (p *parsed) remark(severity discovery.Severity, code, key, value, message, fix string) {
	p.diagnostics = append(p.diagnostics, discovery.Diagnostic{
		Severity: severity, Code: code, Label: clip(key), Value: value, Message: message, Suggestion: clip(fix),
	})
}

// clip bounds label keys in what people read.
func clip(s string) string {
	if len(s) <= maxShown {
		return strings.ToValidUTF8(s, "�")
	}
	return strings.ToValidUTF8(s[:maxShown], "�") + "…"
}

func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return "", false
	}
	return s[len(prefix):], true
}
