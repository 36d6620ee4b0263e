package docker

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"strings"

	"github.com/google/renameio/v2"

	"mcp-gw/discovery"
)

// Policies on names that several want.
const (
	// NamesFirstLive gives a name to who has it as long as one of it lives, then to
	// who started first.
	NamesFirstLive = "first-live"
	// NamesOwner keeps a name for who had it first, until whoever runs the gateway
	// takes the record away.
	NamesOwner = "owner"
)

const (
	maxDeeds     = 4096
	maxNamesFile = 4 << 20
)

// deed says whose a name is.
type deed struct {
	// Owner is a compose project and service, a swarm service, or a container's name.
	Owner string `json:"owner"`
	// Image is the owner's, without tag and digest.
	Image string `json:"image"`
	// Container is the id of the one that had the name last.
	Container string `json:"container"`
}

// deedOf is what a container's deed to a name says.
func deedOf(o observation) deed {
	who := o.name
	if project, service := composeOf(o.labels); project != "" && service != "" {
		who = project + "/" + service
	} else if service := o.labels[labelSwarmService]; service != "" {
		who = service
	}
	return deed{Owner: who, Image: repository(o.image), Container: o.id}
}

// admits reports whether the container may have the name that the deed is for.
func (d deed) admits(o observation) bool {
	own := deedOf(o)
	return own.Owner == d.Owner && own.Image == d.Image
}

// repository is an image's name without tag and digest.
func repository(image string) string {
	image, _, _ = strings.Cut(image, "@")
	if i := strings.LastIndexByte(image, ':'); i > strings.LastIndexByte(image, '/') {
		image = image[:i]
	}
	return image
}

// tenure is who has which name, and who may have it.
type tenure struct {
	holders map[string]holder
	deeds   map[string]deed
	// exclusive: only who has the deed gets the name.
	exclusive bool
}

// eligible are the claims that may get a name.
func (n tenure) eligible(name string, claims []claim) []claim {
	d, ok := n.deeds[name]
	if !n.exclusive || !ok {
		return claims
	}
	var out []claim
	for _, c := range claims {
		if d.admits(c.obs) {
			out = append(out, c)
		}
	}
	return out
}

// holder is who has a name, or had it when the gateway ran last.
func (n tenure) holder(name string) holder {
	h, ok := n.holders[name]
	if d, known := n.deeds[name]; !ok && known {
		h = holder{id: d.Container}
	}
	return h
}

// record returns the deeds that follow from the seats. Those of names that nobody has
// stay only where they bind.
func (n tenure) record(seats map[string]seat) map[string]deed {
	out := map[string]deed{}
	if n.exclusive {
		maps.Copy(out, n.deeds)
	}
	for name, s := range seats {
		d := deedOf(s.lead.obs)
		if old, had := n.deeds[name]; !s.lead.alive && had {
			d = old
		}
		if _, had := out[name]; had || len(out) < maxDeeds {
			out[name] = d
		}
	}
	return out
}

// reserved rewrites the judgement of a backend whose name is kept for another.
func (d deed) reserved(b *discovery.ObservedBackend, o observation, prefix string) discovery.Diagnostic {
	own := deedOf(o)
	fix := fmt.Sprintf("give %s another name, with the label %s.name; or, if it is to take over, remove %q from the gateway's names.json", o.name, prefix, b.Backend)
	message := fmt.Sprintf("the name %q belongs to %s (image %s), which had it first; %s, of %s (image %s), does not get it",
		b.Backend, clip(d.Owner), clip(d.Image), o.name, clip(own.Owner), clip(own.Image))
	b.Verdict, b.Reason, b.Fix = verdictConflict, message, fix
	return discovery.Diagnostic{
		Severity: discovery.SeverityError, Code: codeConflict, Container: o.name,
		Message: message, Suggestion: fix, Generation: o.generation(),
	}
}

// CheckNames says what keeps the file of the names from being used, nil when nothing
// does. It need not exist yet.
func CheckNames(path string) error {
	_, err := readDeeds(path)
	return err
}

func readDeeds(path string) (map[string]deed, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxNamesFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxNamesFile {
		return nil, fmt.Errorf("%s is longer than %d bytes; remove it, and names go to who has them now", path, maxNamesFile)
	}
	var deeds map[string]deed
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&deeds); err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w; mend it, or remove it, and names go to who has them now", path, err)
	}
	if len(deeds) > maxDeeds {
		return nil, fmt.Errorf("%s has more than %d names; remove some", path, maxDeeds)
	}
	return deeds, nil
}

func writeDeeds(path string, deeds map[string]deed) error {
	data, err := json.MarshalIndent(deeds, "", "  ")
	if err != nil {
		return err
	}
	return renameio.WriteFile(path, append(data, '\n'), 0o600)
}

// loadNames reads the file of the names: whoever runs the gateway may have taken a
// record away.
func (p *Provider) loadNames() {
	if p.cfg.NamesFile == "" {
		return
	}
	deeds, err := readDeeds(p.cfg.NamesFile)
	p.namesBad.Store(err != nil)
	if err != nil {
		p.namesProblem("the file of the names is not used, and left as it is", err)
		return
	}
	p.table.setDeeds(deeds)
}

// saveNames writes the file of the names, if it is to say something else. A file that
// cannot be read is left as it is.
func (p *Provider) saveNames() {
	if p.cfg.NamesFile == "" || p.namesBad.Load() {
		return
	}
	deeds, changed := p.table.unsavedDeeds()
	if !changed {
		return
	}
	if err := writeDeeds(p.cfg.NamesFile, deeds); err != nil {
		p.namesProblem("who has which name cannot be kept, and is forgotten with the next start", err)
		return
	}
	p.table.savedDeeds(deeds)
}

// namesProblem tells of a problem once.
func (p *Provider) namesProblem(text string, err error) {
	p.mu.Lock()
	said := p.namesSaid == text
	p.namesSaid = text
	p.mu.Unlock()
	if !said {
		p.log.Warn(text, "file", p.cfg.NamesFile, "err", err)
	}
}

// setDeeds takes what the file says, unless it is behind.
func (t *table) setDeeds(deeds map[string]deed) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.unsaved {
		return
	}
	t.names.deeds = deeds
}

func (t *table) unsavedDeeds() (map[string]deed, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.names.deeds, t.unsaved
}

func (t *table) savedDeeds(deeds map[string]deed) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.unsaved = !maps.Equal(deeds, t.names.deeds)
}
