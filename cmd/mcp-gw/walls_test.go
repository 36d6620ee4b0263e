package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// wall says what the packages of one room must not know.
type wall struct {
	room string // a package, or a tree of them: "gateway/..."
	// not are packages, with all below them. A leading "=" means that package
	// alone.
	not []string
	// direct looks at import statements only; otherwise what is imported by way
	// of others counts as well.
	direct bool
	why    string
}

const (
	dockerClient = "github.com/docker/docker"
	moby         = "github.com/moby/moby"
	mcpGo        = "github.com/mark3labs/mcp-go"
	echo         = "github.com/labstack/echo/v4"
)

var walls = []wall{
	{"discovery", []string{"net/http", mcpGo, dockerClient, moby, "mcp-gw/discovery/docker", "mcp-gw/discovery/manual", "mcp-gw/gateway", "mcp-gw/dashboard"}, false,
		"discovery is the seam: plain values that every room may import, so it drags nothing along"},
	{"discovery/...", []string{mcpGo, echo, "mcp-gw/gateway", "mcp-gw/dashboard", "mcp-gw/cmd"}, false,
		"discovery says what should be connected; who connects it, and how, is not its business"},
	{"gateway/...", []string{dockerClient, moby, echo, "mcp-gw/discovery/docker", "mcp-gw/discovery/manual", "mcp-gw/dashboard", "mcp-gw/cmd"}, false,
		"the data plane takes desired sets; where they come from must not matter, or it could not be tested without Docker"},
	{"discovery/dockerproxy", []string{mcpGo, echo, dockerClient, moby, "mcp-gw/gateway", "mcp-gw/dashboard", "mcp-gw/cmd"}, true,
		"the proxy decides what of the engine can be reached; it names each field that gets out by itself"},
	{"discovery/docker", []string{"mcp-gw/discovery/dockerproxy"}, false,
		"the provider takes any engine, behind a proxy or not"},
	{"dashboard/...", []string{dockerClient, moby, "mcp-gw/discovery/docker", "mcp-gw/discovery/dockerproxy", "mcp-gw/cmd"}, false,
		"the control plane shows what discovery reports and never asks the engine itself"},
	{"dashboard/...", []string{mcpGo}, true,
		"the control plane shows MCP data as the gateway keeps it and never speaks MCP"},
	{"gateway/wire", []string{"=net", "net/http", "os", "syscall"}, true,
		"wire is a function of bytes, which is why it can be fuzzed"},
	{"gateway/catalog", []string{"=net", "net/http", "os", "syscall"}, true,
		"the catalogue is a function of lists, which is why a snapshot can be swapped without a lock"},
	{"...", []string{"github.com/testcontainers/testcontainers-go", "testing"}, false,
		"what is for tests stays in tests"},
}

func TestWalls(t *testing.T) {
	imports := importGraph(t)
	for _, w := range walls {
		t.Run(w.room+" without "+strings.Join(w.not, " "), func(t *testing.T) {
			seen := 0
			for _, pkg := range slices.Sorted(maps.Keys(imports)) {
				if !within(pkg, w.room) {
					continue
				}
				seen++
				if chain := reach(imports, pkg, w.not, w.direct); chain != nil {
					t.Errorf("%s\nbroken by: %s", w.why, strings.Join(chain, "\n        → "))
				}
			}
			if seen == 0 {
				t.Errorf("no package in %s: this wall stands around nothing", w.room)
			}
		})
	}
}

// A wall that cannot fall is no wall: the same search must find a chain that
// is there.
func TestWallsCanFall(t *testing.T) {
	imports := map[string][]string{
		"mcp-gw/gateway":   {"mcp-gw/gateway/a"},
		"mcp-gw/gateway/a": {"fmt", "github.com/docker/docker/client"},
	}
	if chain := reach(imports, "mcp-gw/gateway", []string{dockerClient}, false); len(chain) != 3 {
		t.Errorf("got chain %v, want the three packages", chain)
	}
	if chain := reach(imports, "mcp-gw/gateway", []string{dockerClient}, true); chain != nil {
		t.Errorf("got chain %v, want none: the import is not direct", chain)
	}
	if chain := reach(imports, "mcp-gw/gateway/a", []string{"=github.com/docker/docker"}, false); chain != nil {
		t.Errorf("got chain %v, want none: only that very package was meant", chain)
	}
}

// importGraph maps each package of this module, and all that they need without
// their tests, to what it imports.
func importGraph(t *testing.T) map[string][]string {
	t.Helper()
	cmd := exec.Command("go", "list", "-deps", "-json=ImportPath,Imports", "./...")
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
			t.Fatalf("go list: %v\n%s", err, exit.Stderr)
		}
		t.Fatalf("go list: %v", err)
	}
	imports := map[string][]string{}
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&p); err == io.EOF {
			return imports
		} else if err != nil {
			t.Fatalf("go list: %v", err)
		}
		imports[p.ImportPath] = p.Imports
	}
}

// reach gives the shortest chain of imports from pkg to one of not, or nil.
func reach(imports map[string][]string, pkg string, not []string, direct bool) []string {
	from := map[string]string{pkg: ""}
	for queue := []string{pkg}; len(queue) > 0; queue = queue[1:] {
		for _, next := range imports[queue[0]] {
			if _, known := from[next]; known {
				continue
			}
			from[next] = queue[0]
			if slices.ContainsFunc(not, func(n string) bool { return names(n, next) }) {
				var chain []string
				for p := next; p != ""; p = from[p] {
					chain = append([]string{p}, chain...)
				}
				return chain
			}
			if !direct {
				queue = append(queue, next)
			}
		}
	}
	return nil
}

func names(pattern, pkg string) bool {
	if alone, ok := strings.CutPrefix(pattern, "="); ok {
		return pkg == alone
	}
	return pkg == pattern || strings.HasPrefix(pkg, pattern+"/")
}

// within says whether pkg lies in a room of this module.
func within(pkg, room string) bool {
	tree, whole := strings.CutSuffix(room, "...")
	if !whole {
		return pkg == "mcp-gw/"+room
	}
	return strings.HasPrefix(pkg+"/", "mcp-gw/"+tree)
}

// Settings have one entrance, config.go. A room that reads the environment on
// its own has a setting that no table, no help text and no error message knows.
func TestOnlyConfigReadsTheEnvironment(t *testing.T) {
	readers := map[string][]string{
		"os":     {"Getenv", "LookupEnv", "Environ", "ExpandEnv"},
		"client": {"FromEnv", "NewEnvClient", "WithHostFromEnv", "WithVersionFromEnv", "WithTLSClientConfigFromEnv"},
	}
	for _, room := range []string{"discovery", "gateway", "dashboard"} {
		err := filepath.WalkDir("../../"+room, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if d.IsDir() && d.Name() == "node_modules" {
				return filepath.SkipDir
			}
			if d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return nil
			}
			fset := token.NewFileSet()
			file, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution)
			if err != nil {
				return fmt.Errorf("parse %s: %w", path, err)
			}
			ast.Inspect(file, func(n ast.Node) bool {
				sel, ok := n.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				if pkg, ok := sel.X.(*ast.Ident); ok && slices.Contains(readers[pkg.Name], sel.Sel.Name) {
					t.Errorf("%s: %s.%s reads the environment; make it a setting in config.go and hand the value over",
						fset.Position(n.Pos()), pkg.Name, sel.Sel.Name)
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}
