package conformance

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
)

// row is one run of a set of requirements: one line of the table.
type row struct {
	name                     string // as in the lists of expected misses
	required, passed         int
	unscored, unscoredPassed int
	misses                   int // those of the required ones that are listed and did happen
	failed                   bool
}

// table has a line for each run.
var table struct {
	sync.Mutex
	rows []*row
}

// judge makes each outcome a sub-test. What is required passes, or is listed as
// a miss. What is not required passes where standard, when given, says that the
// reference passes it.
func judge(t *testing.T, name string, outcomes []outcome, standard func(scenario string) bool) {
	t.Helper()
	r := &row{name: name}
	table.Lock()
	table.rows = append(table.rows, r)
	table.Unlock()
	defer func() { r.failed = t.Failed() }()
	listed := expected[name]
	seen := map[string]bool{}
	for _, o := range outcomes {
		seen[o.scenario] = true
		good := len(o.missed()) == 0
		reason, isListed := listed[o.scenario]
		r.count(o.required, good, isListed)
		t.Run(o.scenario, func(t *testing.T) {
			switch {
			case good && isListed:
				t.Errorf("passes, but is listed as a miss of %q because: %s\ntake it off the list in expected_test.go", name, reason)
			case good:
			case isListed:
				t.Logf("missed, as listed: %s%s", reason, o.why())
			case o.required, standard != nil && standard(o.scenario):
				t.Errorf("missed, and not listed for %q in expected_test.go:%s", name, o.why())
			default:
				t.Logf("missed, which is not required, and the reference misses it too:%s", o.why())
			}
		})
	}
	for scenario := range listed {
		if !seen[scenario] {
			t.Errorf("%s is listed as a miss of %q in expected_test.go, but is no scenario of it", scenario, name)
		}
	}
}

func (r *row) count(required, good, listed bool) {
	total, passed := &r.unscored, &r.unscoredPassed
	if required {
		total, passed = &r.required, &r.passed
		if !good && listed {
			r.misses++
		}
	}
	*total++
	if good {
		*passed++
	}
}

// printTable says how the runs went.
func printTable(w io.Writer) {
	if len(table.rows) == 0 {
		return
	}
	// Both sides have run at the same time.
	slices.SortStableFunc(table.rows, func(a, b *row) int {
		side := func(r *row) string { name, _, _ := strings.Cut(r.name, ":"); return name }
		return strings.Compare(side(a), side(b))
	})
	out := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	fmt.Fprintln(out, "\nrun\trequired\tlisted misses\tnot scored\t")
	for _, r := range table.rows {
		verdict := ""
		if r.failed {
			verdict = "FAIL"
		}
		fmt.Fprintf(out, "%s\t%d of %d\t%d\t%d of %d\t%s\n", r.name, r.passed, r.required, r.misses, r.unscoredPassed, r.unscored, verdict)
	}
	_ = out.Flush()
	for prefix, why := range leftOut {
		fmt.Fprintf(w, "\nleft out: %s* of the clients' scenarios. %s\n\n", prefix, why)
	}
}
