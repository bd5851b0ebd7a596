import { describe, expect, it } from 'vitest';
import { strength, surprising } from '../src/lib/strength';

describe('what a password is worth', () => {
	it('is nothing where there is none, and little where it is short', () => {
		expect(strength('', 12).level).toBe(0);
		expect(strength('short', 12)).toEqual({ level: 1, why: 'short' });
	});
	it('is little where it repeats, counts up or holds the name', () => {
		expect(strength('aaaaaaaaaaaaaaaa', 12).why).toBe('same');
		expect(strength('abcdefghijklmnop', 12).why).toBe('same');
		expect(strength('administrator-1x', 12, 'administrator').why).toBe('name');
	});
	it('grows with length and with words', () => {
		expect(strength('correct horse battery', 12).level).toBe(4);
		expect(strength('heron-lake-7', 12).level).toBeLessThan(strength('heron-lake-7-in-the-morning', 12).level);
	});
	it('counts characters, not code units', () => {
		expect(surprising('aab')).toBe(1);
		expect(strength('🐟🐠🐡🦈🐙🦑🦐🦞🦀🐚🐬🐳', 12).level).toBeGreaterThan(1);
	});
});
