import { expect, test } from 'vitest';
import { read, slug, split } from './paste';

test('a bare URL', () => {
	expect(read(' https://mcp.linear.app/sse ').found).toEqual([
		{ name: 'linear', url: 'https://mcp.linear.app/sse', transport: 'auto', headers: [] },
	]);
	expect(read('http://10.0.0.5:8123/mcp').found[0]?.name).toBe('');
});

test('a block of mcpServers, whole, in pieces and in dialects', () => {
	const entry = { type: 'http', url: 'https://x.test/mcp', headers: { Authorization: 'Bearer abc' } };
	const want = {
		name: 'my-server',
		url: 'https://x.test/mcp',
		transport: 'auto',
		headers: [['Authorization', 'Bearer abc']],
	};
	for (const block of [
		{ mcpServers: { 'My Server': entry } },
		{ servers: { 'My Server': entry } },
		{ mcp: { servers: { 'My Server': entry } } },
		{ 'My Server': entry },
	]) {
		expect(read(JSON.stringify(block)).found).toEqual([want]);
	}
	expect(read(`"My Server": ${JSON.stringify(entry)},`).found).toEqual([want]);
	expect(read(JSON.stringify(entry)).found[0]?.url).toBe(want.url);
	expect(
		read('{"mcpServers":{"g":{"httpUrl":"http://g/mcp"},"w":{"serverUrl":"http://w/mcp"}}}').found,
	).toHaveLength(2);
	expect(read('{"mcpServers":{"s":{"type":"sse","url":"http://s/sse"}}}').found[0]?.transport).toBe('sse');
});

test('a program has no URL, but for the one that stands for a URL', () => {
	const program = read('{"mcpServers":{"git":{"command":"uvx","args":["mcp-server-git"]}}}');
	expect(program.found).toEqual([]);
	expect(program.problem).toContain('git: a program that speaks stdio');
	const remote = read(
		'{"mcpServers":{"a":{"command":"npx","args":["-y","mcp-remote","https://a.test/mcp"]}}}',
	);
	expect(remote.found[0]?.url).toBe('https://a.test/mcp');
});

test('a variable in a header is pointed out', () => {
	const r = read('{"mcpServers":{"a":{"url":"http://a/mcp","headers":{"X":"${TOKEN}"}}}}');
	expect(r.note).toContain('variable');
});

test('a docker run line, and the label that is better', () => {
	const r = read(
		`docker run -d --rm --name 'github mcp' \\\n -p 127.0.0.1:9000:8080/tcp -e "A=b c" ghcr.test/x/github:1 --stdio`,
	);
	expect(r.found[0]).toMatchObject({ name: 'github-mcp', url: 'http://github mcp:8080/mcp' });
	expect(r.command).toBe(
		`docker run --network mcp-gw-net --label mcp-gw.port=8080 -d --rm --name 'github mcp' -p 127.0.0.1:9000:8080/tcp -e 'A=b c' ghcr.test/x/github:1 --stdio`,
	);
	expect(read('docker run --name=notes notes-mcp').found[0]?.url).toBe('http://notes:8080/mcp');
	expect(read('docker run --label mcp-gw.port=1 x').problem).toContain('appears by itself');
	expect(read('docker ps').problem).toContain('docker run');
});

test('a claude mcp add line', () => {
	const r = read(
		'claude mcp add --transport sse --scope user ha https://ha.test/sse --header "Authorization: Bearer a:b"',
	);
	expect(r.found[0]).toEqual({
		name: 'ha',
		url: 'https://ha.test/sse',
		transport: 'sse',
		headers: [['Authorization', 'Bearer a:b']],
	});
});

test('what it is not is said', () => {
	expect(read('hello').problem).toContain('no mcpServers block');
	expect(read('{"a":').problem).toContain('no valid JSON');
	expect(read('[]').problem).toContain('no block');
	expect(read('')).toEqual({ found: [] });
	expect(read(`{"x":"${'y'.repeat(200_000)}"}`).problem).toContain('too long');
});

test('words of a shell, and names that the gateway takes', () => {
	expect(split(`a 'b c' "d\\"e" f\\ g "" h\\\ni`)).toEqual(['a', 'b c', 'd"e', 'f g', '', 'hi']);
	expect(slug('__Größe & Co__x')).toBe('gr-e-co_x');
});
