import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { banners, knownCodes, type Engine } from './engine';

const labels = readFileSync('../../labels.md', 'utf8');
const engine: Engine = { connected: true, endpoint: 'unix:///var/run/docker.sock', network: 'mcp-gw-net' };

describe('what keeps the gateway from seeing containers', () => {
	it('has words for each code of labels.md, and for no other', () => {
		const codes = [...labels.matchAll(/^\| (D\d+) \|/gm)].map((m) => m[1]);
		expect(codes.length).toBeGreaterThan(10);
		expect(knownCodes.toSorted()).toEqual(codes.toSorted());
	});
	it('says nothing of an engine that is well', () => expect(banners(engine, true)).toEqual([]));
	it('says that nobody watches', () =>
		expect(banners(engine, false)[0]?.title).toBe('Containers are not watched'));
	it('names the group of the socket', () => {
		const error =
			'permission denied on /var/run/docker.sock: this process is uid 65532. Add the group: group_add: ["991"], or --group-add 991';
		const [banner] = banners({ ...engine, connected: false, code: 'D003', error }, true);
		expect(banner).toMatchObject({
			tone: 'error',
			code: 'D003',
			title: 'Permission denied on the Docker socket',
		});
		expect(banner?.snippet).toContain('group_add: ["991"]');
		expect(banner?.text).toContain('Permission denied on /var/run/docker.sock');
	});
	it('warns while the engine refuses to tell something', () =>
		expect(banners({ ...engine, code: 'D020', error: 'refuses GET /events' }, true)[0]).toMatchObject({
			tone: 'warning',
		}));
	it('has words of its own for a code of a later gateway', () =>
		expect(banners({ ...engine, connected: false, code: 'D999', error: 'new' }, true)[0]).toMatchObject({
			title: 'Docker is not reachable',
			text: 'New.',
		}));
	it('has the command for a network that is not there', () => {
		const networkProblem = 'the network "n" does not exist. Fix: docker network create n';
		expect(banners({ ...engine, networkProblem }, true)[0]?.snippet).toBe('docker network create n');
	});
});
