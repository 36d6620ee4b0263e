package conformance

import "maps"

// expected has the scenarios that a run misses, and why. Whatever is missed and
// not here fails the run; so does what is here and passes.
var expected = map[string]map[string]string{
	"server: legacy client, modern reference directly": with(modernReferenceAsksByItself, map[string]string{
		"server-sse-multiple-streams": "It wants a session, and the modern reference gives none. The gateway does.",
	}),
	"server: legacy client, modern backend": modernReferenceAsksByItself,

	"server: modern client, legacy backend": {
		"input-required-result-basic-elicitation": "It wants the input request under the key user_name. A legacy server's elicitation/create has no key, so no bridge can know that name.",
	},
}

// leftOut are the scenarios, by the start of their names, that are about a role
// the gateway does not have.
var leftOut = map[string]string{
	"auth/": "The gateway sends the credentials that it was configured with for a backend; it obtains none, so it is no OAuth client.",
}

// modernReferenceAsksByItself are tools of the reference that send a request to
// the client while they run. The modern era has no such requests, so the modern
// reference answers with an error result, whoever calls it.
var modernReferenceAsksByItself = map[string]string{
	"tools-call-sampling":          "The modern reference's tool sends sampling/createMessage itself and is refused by its own transport; it never answers input_required, which could be bridged.",
	"tools-call-elicitation":       "The modern reference's tool sends elicitation/create itself and is refused by its own transport; it never answers input_required, which could be bridged.",
	"elicitation-sep1034-defaults": "As tools-call-elicitation.",
	"elicitation-sep1330-enums":    "As tools-call-elicitation.",
}

// with returns the entries of both lists.
func with(list, more map[string]string) map[string]string {
	all := maps.Clone(list)
	maps.Copy(all, more)
	return all
}
