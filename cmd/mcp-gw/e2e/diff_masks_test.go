package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

var (
	clock   = regexp.MustCompile(`created at \d+:\d+:\d+ [AP]M`)
	blob    = regexp.MustCompile(`"blob":\s*"([A-Za-z0-9+/=]+)"`)
	session = regexp.MustCompile(`session [0-9a-f-]{36}`)
	anyLog  = regexp.MustCompile(`.*[Ll]evel[- ]message - SessionId.*`)
	random  = regexp.MustCompile(`"elicitationId":\s*"[0-9a-f-]{36}"`)
)

// maskEverything removes from server-everything's answers the time of day, which
// is also inside blobs, the ids and log messages it draws.
func maskEverything(_ step, text []byte) []byte {
	text = blob.ReplaceAllFunc(text, func(member []byte) []byte {
		if plain, err := base64.StdEncoding.DecodeString(string(blob.FindSubmatch(member)[1])); err == nil && clock.Match(plain) {
			return []byte(fmt.Sprintf(`"blob":%q`, plain))
		}
		return member
	})
	text = anyLog.ReplaceAll(text, []byte(`"<random message>"`))
	text = clock.ReplaceAll(text, []byte("created at <time>"))
	text = random.ReplaceAll(text, []byte(`"elicitationId":"<random>"`))
	return session.ReplaceAll(text, []byte("session <id>"))
}

// maskAccessed removes from a file's description when it was last read.
func maskAccessed(_ step, text []byte) []byte {
	return regexp.MustCompile(`accessed: [^\\"]*`).ReplaceAll(text, []byte("accessed: <time>"))
}

// maskToken removes from the Go SDK's answer to a call with a progress token
// this token, which is the gateway's own on the way to the server.
func maskToken(s step, text []byte) []byte {
	if s.reports {
		return without(text, "content")
	}
	return text
}

// reportsOfSDK says where progress that an SDK hands out differs. SDKs drop
// reports that arrive together with a result, on either way, also with one that
// asks for input: what both have must be the same, and in order.
func reportsOfSDK(got, want [][]byte) string {
	seen := map[float64][]byte{}
	for _, report := range want {
		seen[progressOf(report)] = report
	}
	last := -1.0
	for _, report := range got {
		if strings.HasPrefix(str(report, "message"), "Fulfilling input required") {
			continue // the TypeScript SDK's own, when it answers what is asked
		}
		n := progressOf(report)
		if n <= last {
			return fmt.Sprintf("progress: got %s after %v", report, last)
		}
		last = n
		if same := seen[n]; same != nil && !bytes.Equal(canonical(report), canonical(same)) {
			return fmt.Sprintf("progress: got %s, want %s", report, same)
		}
	}
	return ""
}

func progressOf(report []byte) (n float64) {
	_ = json.Unmarshal(get(report, "progress"), &n)
	return n
}
