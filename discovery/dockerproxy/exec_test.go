package dockerproxy

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// execLabels name a command, before further labels.
const execLabels = `"mcp-gw.transport":"stdio","mcp-gw.stdio.mode":"exec","mcp-gw.stdio.command":"[\"srv\",\"x\"]",`

const execMark = "MCP_GW_EXEC=0123456789abcdef.0123456789abcdef.0123456789abcdef"

// execBody is a request as the client of the engine makes it, with changes.
func execBody(t *testing.T, changes map[string]any) string {
	t.Helper()
	body := map[string]any{"User": "", "Privileged": false, "Tty": false, "AttachStdin": true, "AttachStderr": true, "AttachStdout": true, "DetachKeys": "",
		"Env": []string{execMark}, "WorkingDir": "", "Cmd": []string{"srv", "x"}, "Detach": false}
	for key, v := range changes {
		body[key] = v
	}
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text) + "\n"
}

func withBody(header, body string) string {
	return fmt.Sprintf("%sContent-Type: application/json\r\nContent-Length: %d\r\n", header, len(body))
}

const upgradeHeader = "Connection: Upgrade\r\nUpgrade: tcp\r\n"

// The command that the labels name is started, and spoken to.
func TestExecOfTheLabelledCommand(t *testing.T) {
	addr, asked := scriptedExec(t, true)
	create, start := "POST /v1.45/containers/"+strings.Repeat("e", 64)+"/exec", "POST /v1.45/exec/made/start"
	plain := `{"Detach":false,"Tty":false}` + "\n"
	if status, answer := raw(t, addr, start, withBody(upgradeHeader, plain), plain); status != http.StatusNotFound {
		t.Errorf("what was not made here: %d %s", status, answer)
	}
	if status, answer := raw(t, addr, "GET /exec/made/json", plainHeader, ""); status != http.StatusNotFound {
		t.Errorf("what was not made here: %d %s", status, answer)
	}
	body := execBody(t, nil)
	if status, answer := raw(t, addr, create, withBody(plainHeader, body), body); status != http.StatusCreated || answer != `{"Id":"made"}`+"\n" {
		t.Fatalf("%d %s", status, answer)
	}
	if status, answer := raw(t, addr, start, withBody(upgradeHeader, plain), plain+"hello\n"); status != http.StatusSwitchingProtocols || answer != "echo hello\n" {
		t.Errorf("%d %q", status, answer)
	}
	if status, answer := raw(t, addr, "GET /exec/made/json", plainHeader, ""); status != http.StatusOK || strings.Contains(answer, secret) || !strings.Contains(answer, `"ExitCode":3`) {
		t.Errorf("%d %s", status, answer)
	}
	for _, c := range []struct{ name, body, header string }{
		{"a terminal", `{"Tty":true}`, upgradeHeader}, {"in the background", `{"Detach":true}`, upgradeHeader}, {"a size", `{"ConsoleSize":[1,2]}`, upgradeHeader},
		{"more", `{"Detach":false,"X":1}`, upgradeHeader}, {"no upgrade", plain, plainHeader}, {"another one", plain, "Connection: Upgrade\r\nUpgrade: h2c\r\n"},
	} {
		if status, answer := raw(t, addr, start, withBody(c.header, c.body), c.body); status != http.StatusForbidden {
			t.Errorf("%s: %d %s", c.name, status, answer)
		}
	}
	if all := asked(); len(all) != 2 || !strings.Contains(all[0], `"Cmd":["srv","x"]`) || !strings.HasSuffix(all[1], `/exec/made/start {"Detach":false,"Tty":false,"ConsoleSize":null}`) {
		t.Errorf("the engine was asked %q", all)
	}
}

// Nothing else is: no other command, not by another user, not in other containers, and
// nothing at all where the proxy does not allow it.
func TestForbiddenExecs(t *testing.T) {
	addr, asked := scriptedExec(t, true)
	in := func(name string) string { return "POST /containers/" + strings.Repeat(name, 64) + "/exec" }
	for _, c := range []struct {
		name, line string
		changes    map[string]any
		status     int
	}{
		{"another command", in("e"), map[string]any{"Cmd": []string{"sh"}}, 403},
		{"more words", in("e"), map[string]any{"Cmd": []string{"srv", "x", "y"}}, 403},
		{"no command", in("e"), map[string]any{"Cmd": nil}, 403},
		{"in one word", in("e"), map[string]any{"Cmd": "srv x"}, 403},
		{"another user", in("e"), map[string]any{"User": "0"}, 403},
		{"privileged", in("e"), map[string]any{"Privileged": true}, 403},
		{"privileged, in another case", in("e"), map[string]any{"privileged": true}, 403},
		{"a terminal", in("e"), map[string]any{"Tty": true}, 403},
		{"another folder", in("e"), map[string]any{"WorkingDir": "/"}, 403},
		{"keys", in("e"), map[string]any{"DetachKeys": "ctrl-a"}, 403},
		{"no input", in("e"), map[string]any{"AttachStdin": false}, 403},
		{"environment", in("e"), map[string]any{"Env": []string{execMark, "LD_PRELOAD=/x"}}, 403},
		{"no mark", in("e"), map[string]any{"Env": []string{}}, 403},
		{"more", in("e"), map[string]any{"Mounts": []string{}}, 403},
		{"attached to, not started", in("a"), nil, 403},
		{"no labels", in("b"), nil, 403},
		{"not on the network", in("f"), nil, 403},
		{"foreign", in("d"), nil, 404},
	} {
		body := execBody(t, c.changes)
		if status, answer := raw(t, addr, c.line, withBody(plainHeader, body), body); status != c.status {
			t.Errorf("%s: %d %s", c.name, status, answer)
		}
	}
	for _, c := range []struct{ name, header, body string }{
		{"no body", plainHeader, ""}, {"a large one", withBody(plainHeader, strings.Repeat(" ", maxBody+1)), ""},
		{"no length", plainHeader + "Transfer-Encoding: chunked\r\n", "2\r\n{}\r\n0\r\n\r\n"},
		{"two", withBody(plainHeader, execBody(t, nil)+"{}"), execBody(t, nil) + "{}"}, {"upgraded", withBody(upgradeHeader, "{}"), "{}"},
	} {
		if status, answer := raw(t, addr, in("e"), c.header, c.body); status != http.StatusForbidden {
			t.Errorf("%s: %d %s", c.name, status, answer)
		}
	}
	if all := asked(); len(all) != 0 {
		t.Errorf("the engine was asked %q", all)
	}
	addr, asked = scriptedExec(t, false)
	body := execBody(t, nil)
	for _, line := range []string{in("e"), "POST /exec/made/start", "GET /exec/made/json"} {
		if status, answer := raw(t, addr, line, withBody(plainHeader, body), body); status != http.StatusForbidden || !strings.Contains(answer, "MCP_GW_ALLOW_EXEC=true on docker-proxy") {
			t.Errorf("%s, not allowed: %d %s", line, status, answer)
		}
	}
	if all := asked(); len(all) != 0 {
		t.Errorf("not allowed: the engine was asked %q", all)
	}
}
