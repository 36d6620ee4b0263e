import { beforeEach, expect, it, vi } from 'vitest';
import { reconnect, remove, setEnabled } from './actions.svelte';
import type { Backend } from './backends';
import { said, unsay } from './toasts.svelte';

const { put, gone, api, back } = vi.hoisted(() => ({
	put: vi.fn(),
	gone: vi.fn(),
	api: vi.fn(),
	back: vi.fn(),
}));
vi.mock('./store.svelte', () => ({
	store: { put, remove: gone, expect: (b: Backend) => (put(b), back) },
}));
vi.mock('./api', async (original) => ({ ...(await original<typeof import('./api')>()), api }));

const { ApiError } = await import('./api');
const b = { name: 'a b', health: 'down', enabled: true, toolCount: 3, reason: 'refused' } as Backend;
const shown = () => put.mock.calls.map(([one]) => (one as Backend).health);

beforeEach(() => {
	vi.resetAllMocks();
	said.all.forEach((toast) => unsay(toast.id));
});

it('shows a reconnect at once, then what came of it', async () => {
	api.mockResolvedValue({ backend: { ...b, health: 'healthy' } });
	await reconnect(b);
	expect(api).toHaveBeenCalledWith('backends/a%20b/reconnect', { method: 'POST' });
	expect(shown()).toEqual(['connecting', 'healthy']);
	expect(said.all).toMatchObject([{ text: 'a b is connected: 3 tools.', tone: 'done' }]);
});

it('says why a reconnect did not help', async () => {
	api.mockResolvedValue({ backend: b });
	await reconnect(b);
	expect(shown()).toEqual(['connecting', 'down']);
	expect(said.all).toMatchObject([{ text: 'a b could not be connected: refused', tone: 'error' }]);
});

it('takes back what was shown when the answer is an error', async () => {
	api.mockRejectedValue(new ApiError('The gateway cannot be reached.', 0));
	await reconnect(b);
	expect(shown()).toEqual(['connecting']);
	expect(back).toHaveBeenCalledTimes(1);
	await setEnabled(b, false);
	expect(shown()).toEqual(['connecting', 'disabled']);
	expect(back).toHaveBeenCalledTimes(2);
	expect(said.all.map((toast) => [toast.tone, toast.text])).toEqual([
		['error', 'a b was not connected anew: The gateway cannot be reached.'],
		['error', 'a b was not disabled: The gateway cannot be reached.'],
	]);
});

it('switches off, says where that is saved, and undoes it once', async () => {
	api.mockImplementation((_path: string, { body }: { body: { enabled: boolean } }) => ({
		backend: { ...b, enabled: body.enabled, health: body.enabled ? 'healthy' : 'disabled' },
		savedIn: '/config/switches.json',
	}));
	await setEnabled(b, false);
	expect(api).toHaveBeenLastCalledWith('backends/a%20b', { method: 'PATCH', body: { enabled: false } });
	const [toast] = said.all;
	expect(toast?.text).toBe('a b is disabled. Saved in /config/switches.json.');
	await toast?.undo?.();
	expect(api).toHaveBeenLastCalledWith('backends/a%20b', { method: 'PATCH', body: { enabled: true } });
	expect(shown()).toEqual(['disabled', 'disabled', 'connecting', 'healthy']);
	expect(said.all.at(-1)?.text).toContain('a b is enabled.');
	expect(said.all.at(-1)?.undo).toBeUndefined();
});

it('removes, and leaves what could not be removed', async () => {
	api.mockResolvedValueOnce({ ok: true });
	expect(await remove(b)).toBe(true);
	expect(gone).toHaveBeenCalledWith('a b');
	api.mockRejectedValueOnce(new ApiError('It is managed by labels.', 409));
	expect(await remove(b)).toBe(false);
	expect(gone).toHaveBeenCalledTimes(1);
	expect(said.all.at(-1)).toMatchObject({
		tone: 'error',
		text: 'a b was not removed: It is managed by labels.',
	});
});
