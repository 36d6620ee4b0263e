package discovery

import "testing"

func TestShowURL(t *testing.T) {
	for in, want := range map[string]string{
		"http://h:1/mcp":                               "http://h:1/mcp",
		"http://h/mcp?x=1&monkey=2":                    "http://h/mcp?x=1&monkey=2",
		"HTTP://H/a%2fb?q=a b":                         "HTTP://H/a%2fb?q=a b",
		"http://bob:pw@h/mcp":                          "http://bob:xxxxx@h/mcp",
		"http://ghp_0123456789@h/mcp":                  "http://xxxxx@h/mcp",
		"https://mcp.example.com/mcp?exaApiKey=s&x=1":  "https://mcp.example.com/mcp?exaApiKey=xxxxx&x=1",
		"https://h/?a=1&ACCESS%5FTOKEN=s&key=t&token=": "https://h/?a=1&ACCESS%5FTOKEN=xxxxx&key=xxxxx&token=",
		"https://bob:pw@h/?client_secret=s":            "https://bob:xxxxx@h/?client_secret=xxxxx",
		"https://h/?%zz=s":                             "https://h/?%zz=xxxxx",
		"by its standard input and output":             "by its standard input and output",
		"":                                             "",
		"http://alice:hunter#2@host/mcp":               "http://xxxxx@host/mcp",
		"http://alice:1#2@host/mcp":                    "http://xxxxx@host/mcp",
		"http://alice:a/b@host:x/mcp?api_key=s":        "http://xxxxx@host:x/mcp?xxxxx",
		"http://alice:a?b@host/mcp":                    "http://xxxxx@host/mcp",
		"http://host:port/mcp?api_key=s":               "http://host:port/mcp?xxxxx",
		"alice:pw@host/mcp":                            "xxxxx@host/mcp",
		"/@scope/mcp":                                  "/@scope/mcp",
		"://":                                          "://",
	} {
		if got := ShowURL(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
		if again := ShowURL(ShowURL(in)); again != want {
			t.Errorf("%q shown twice: %q", in, again)
		}
	}
}

func TestHasMask(t *testing.T) {
	for address, want := range map[string]bool{
		ShowURL("http://bob:pw@h/mcp"): true, ShowURL("http://t0ken@h/mcp"): true, ShowURL("http://h/mcp?x=1&api_key=s"): true,
		"http://h/mcp": false, "http://xxxxx/xxxxx?q=xxxxx": false, "http://xxxxx:pw@h/": false, "http://bob:xxxxxx@h/?key=xxxxx1": false,
	} {
		if HasMask(address) != want {
			t.Errorf("%s: %v", address, !want)
		}
	}
}
