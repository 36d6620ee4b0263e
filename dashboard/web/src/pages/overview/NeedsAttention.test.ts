import { cleanup, fireEvent, render, screen } from '@testing-library/svelte';
import { afterEach, expect, test } from 'vitest';
import NeedsAttention from './NeedsAttention.svelte';

afterEach(cleanup);

const line = (code: string, message: string, fix: string) => ({
	severity: 'error' as const,
	code,
	message,
	backend: 'github',
	action: 'fix' as const,
	fix,
});

test('a line stays the same one when its words change', async () => {
	const down = (seconds: number) => line('refused', `github is down: no answer for ${seconds} s.`, 'mend it');
	const { rerender } = render(NeedsAttention, { attention: [down(1)] });
	const button = screen.getByRole('button', { name: 'How to fix' });
	button.focus();
	await fireEvent.click(button);
	expect(screen.getByText('mend it')).toBeTruthy();
	await rerender({ attention: [line('engine', 'Docker cannot be reached.', ''), down(16)] });
	expect(screen.getByText(/no answer for 16 s/)).toBeTruthy();
	expect(screen.getByText('mend it')).toBeTruthy();
	expect(document.activeElement).toBe(screen.getByRole('button', { name: 'How to fix' }));
});

test('two lines about one thing are opened each by itself', async () => {
	render(NeedsAttention, {
		attention: [line('T001', 'tool x is left out', 'mend x'), line('T001', 'tool y is left out', 'mend y')],
	});
	const buttons = screen.getAllByRole('button', { name: 'How to fix' });
	await fireEvent.click(buttons[1] as HTMLElement);
	expect(screen.getByText('mend y')).toBeTruthy();
	expect(screen.queryByText('mend x')).toBeNull();
});
