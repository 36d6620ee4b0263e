package web

// unbuilt is the page of a program that was made without the application. It holds
// to the same policy: no script, no style but in attributes.
const unbuilt = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>mcp-gw: no dashboard in this build</title>
</head>
<body style="font: 16px/1.5 system-ui, sans-serif; max-width: 40rem; margin: 3rem auto; padding: 0 1rem">
<main>
<h1 style="font-size: 1.25rem">This mcp-gw was built without its dashboard</h1>
<p>The gateway works: clients connect to <code>mcp</code>, and the API has everything that the dashboard shows.</p>
<p>To have the dashboard, with Node 20 or newer:</p>
<pre style="overflow-x: auto; padding: .75rem; border: 1px solid">make build &amp;&amp; .build/mcp-gw</pre>
<p>The image has it: <code>docker compose up -d --build</code>.</p>
<ul>
<li><a href="api/backends">api/backends</a>: all backends, their tools and their state</li>
<li><a href="api/discovery">api/discovery</a>: every container that was seen, and why it is a backend or not</li>
<li><a href="api/tools">api/tools</a>: the catalogue, as clients see it</li>
<li><a href="api/health">api/health</a>: the numbers in short</li>
<li><a href="api/openapi.json">api/openapi.json</a>: the description of the whole API</li>
</ul>
</main>
</body>
</html>
`
