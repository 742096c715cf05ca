import { expect, test, vi } from 'vitest';
import { parseCommandLine } from '../../src/cli/command-line.ts';
import { choice, flag, integer, number, numbers, optionalFlag, text, toggle } from '../../src/cli/flags.ts';
import { nearest } from '../../src/cli/nearest.ts';
import { UsageError } from '../../src/cli/usage-error.ts';
import { defineVerb } from '../../src/cli/verb.ts';
import type { Verb } from '../../src/cli/verb.ts';

const nothing = async () => ({ text: '', json: {} });

const bake = defineVerb({
  name: 'bake',
  inputs: '<oven> <...cakes>',
  summary: 'Bake cakes',
  flags: {
    minutes: flag(integer(1, 90), { placeholder: 'n', help: 'How long', fallback: '45' }),
    topHeat: flag(number(0, 1), { placeholder: 'share', help: 'How much heat comes from above', fallback: '0.5' }),
    layers: optionalFlag(numbers(0), { placeholder: 'w,w..', help: 'Weights' }),
    shape: flag(choice('round', 'square'), { placeholder: 'name', help: 'Of the form', fallback: 'round' }),
    out: optionalFlag(text, { placeholder: 'file', help: 'Photograph' }),
    ice: toggle('With icing'),
  },
  run: nothing,
});
const verbs = [bake, { name: 'doctor', summary: 'Look', flags: {}, run: nothing }] as readonly Verb[];

const parse = (line: string) => parseCommandLine(line.split(' ').filter(Boolean), verbs, '1.2.3');

test('flags become values, with what is left out filled in', () => {
  const call = parse('bake oven --minutes 5 a b --layers 1,0.5 --ice');
  expect(call).toMatchObject({
    inputs: ['oven', 'a', 'b'],
    flags: { minutes: 5, topHeat: 0.5, layers: [1, 0.5], shape: 'round', out: undefined, ice: true },
  });
  expect(parse('bake oven a --top-heat=0.25')!.flags).toMatchObject({ topHeat: 0.25, ice: false });
});

test.each([
  ['', 'expected a verb: known are bake, doctor. See exitgpu --help'],
  ['bcke oven', 'unknown verb bcke: did you mean bake? See exitgpu --help'],
  ['wash', 'unknown verb wash: known are bake, doctor. See exitgpu --help'],
  ['bake oven a --minute 3', 'unknown flag --minute: did you mean --minutes? See exitgpu bake --help'],
  ['bake oven a --top-heet 1', 'unknown flag --top-heet: did you mean --top-heat? See exitgpu bake --help'],
  ['bake oven', 'bake: expected the arguments <oven> <...cakes>, got oven. See exitgpu bake --help'],
  ['doctor who', 'doctor: expected no arguments, got who. See exitgpu doctor --help'],
  ['bake oven a --minutes', '--minutes: expected <n> after it, got nothing'],
  ['bake oven a --minutes 1 --minutes 2', '--minutes: expected once, got 2 times'],
  ['bake oven a --minutes 1.5', "--minutes: expected an integer from 1 to 90, got '1.5'"],
  ['bake oven a --minutes many', "--minutes: expected an integer from 1 to 90, got 'many'"],
  ['bake oven a --minutes 91', "--minutes: expected an integer from 1 to 90, got '91'"],
  ['bake oven a --top-heat -1', "--top-heat: expected a number from 0 to 1, got '-1'"],
  ['bake oven a --layers 1,,2', "--layers: expected a number of 0 or more, got ''"],
  ['bake oven a --layers 1,-2', "--layers: expected a number of 0 or more, got '-2'"],
  ['bake oven a --layers 1,Infinity', "--layers: expected a number of 0 or more, got 'Infinity'"],
  ['bake oven a --shape oval', "--shape: expected one of round, square, got 'oval'"],
])('exitgpu %s is refused', (line, message) => {
  expect(() => parse(line)).toThrow(new UsageError(message));
});

test('help has one line per flag, and neither it nor the version runs a verb', () => {
  const info = vi.spyOn(console, 'info').mockImplementation(() => {});
  expect(parse('bake --help')).toBeUndefined();
  const help = String(info.mock.lastCall![0]).split('\n');
  for (const name of ['minutes', 'top-heat', 'layers', 'shape', 'out', 'ice']) {
    expect(help.filter((line) => line.includes(`--${name} `))).toHaveLength(1);
  }
  expect(help.find((line) => line.includes('--minutes'))).toMatch(/--minutes <n> +How long \(default 45\)/);
  for (const line of ['--version', 'bake --version']) {
    expect(parse(line)).toBeUndefined();
    expect(info.mock.lastCall![0]).toContain('exitgpu/1.2.3');
  }
  info.mockRestore();
});

test('the nearest words come first, and far ones not at all', () => {
  const verbsKnown = ['start', 'train', 'evaluate', 'predict', 'doctor'];
  expect(nearest('trian', verbsKnown)).toEqual(['train']);
  expect(nearest('eval', verbsKnown)).toEqual(['evaluate']);
  expect(nearest('start', ['stat', 'start', 'star'])).toEqual(['start', 'stat', 'star']);
  expect(nearest('wash', verbsKnown)).toEqual([]);
});
