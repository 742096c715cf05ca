import { cac } from 'cac';
import type { CAC, Command } from 'cac';
import type { Values } from './flags.ts';
import { nearest } from './nearest.ts';
import { UsageError } from './usage-error.ts';
import type { Verb } from './verb.ts';

/** A verb with its arguments. */
export interface Call {
  readonly verb: Verb;
  readonly inputs: readonly string[];
  readonly flags: Values<Verb['flags']>;
}

/**
 * Reads the command line, without the names of Node and the script; `undefined` where it asked for help or the version,
 * which have been printed.
 * @throws UsageError
 */
export function parseCommandLine(args: readonly string[], verbs: readonly Verb[], version: string): Call | undefined {
  const cli = cac('exitgpu')
    .version(version)
    .help((sections) => sections.filter(({ title }) => !title?.startsWith('For more info')));
  for (const verb of verbs) describe(cli, verb);
  parse(cli, args);
  if (cli.options.help) return undefined;
  if (cli.options.version) {
    // Behind a verb cac prints nothing, and would run the verb.
    if (cli.matchedCommand) cli.outputVersion();
    return undefined;
  }
  const verb = verbs.find(({ name }) => name === cli.matchedCommandName);
  if (!verb) throw unknown('verb', cli.args[0], verbs.map(({ name }) => name), 'exitgpu --help');
  checkArguments(cli.matchedCommand!, verb);
  const given = givenFlags(cli, verb);
  const flags = Object.entries(verb.flags).map(([name, { read, fallback }]) => {
    const value = within(`--${kebab(name)}`, () => read(given.get(name) ?? fallback));
    return [name, value];
  });
  return { verb, inputs: cli.args.map(String), flags: Object.fromEntries(flags) };
}

function describe(cli: CAC, { name, inputs, summary, flags }: Verb): void {
  const command = cli.command([name, inputs].filter(Boolean).join(' '), summary);
  for (const [flag, { placeholder, help, fallback }] of Object.entries(flags)) {
    const note = fallback === undefined ? '' : ` (default ${fallback})`;
    command.option(`--${kebab(flag)}${placeholder ? ` <${placeholder}>` : ''}`, help + note);
  }
}

function parse(cli: CAC, args: readonly string[]): void {
  try {
    cli.parse(['node', 'exitgpu', ...joinNegative(args)], { run: false });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** cac takes the `-1` of `--threshold -1` for a flag; as `--threshold=-1` it is a value, and can be refused as one. */
function joinNegative(args: readonly string[]): string[] {
  const joined: string[] = [];
  for (const arg of args) {
    if (/^-\.?\d/.test(arg) && joined.at(-1)?.startsWith('--')) joined[joined.length - 1] += `=${arg}`;
    else joined.push(arg);
  }
  return joined;
}

function checkArguments(command: Command, verb: Verb): void {
  try {
    command.checkRequiredArgs();
    command.checkUnusedArgs();
  } catch {
    const expected = verb.inputs ? `the arguments ${verb.inputs}` : 'no arguments';
    const got = command.cli.args.join(' ') || 'none';
    throw new UsageError(`${verb.name}: expected ${expected}, got ${got}. See exitgpu ${verb.name} --help`);
  }
}

/** The text of each flag on the command line. */
function givenFlags(cli: CAC, verb: Verb): Map<string, string> {
  const known = Object.keys(verb.flags).map((name) => `--${kebab(name)}`);
  const given = new Map<string, string>();
  for (const [name, value] of Object.entries(cli.options)) {
    if (name === '--') continue;
    const flag = Object.hasOwn(verb.flags, name) ? verb.flags[name]! : undefined;
    const typed = name.length > 1 ? `--${kebab(name)}` : `-${name}`;
    if (!flag) throw unknown('flag', typed, known, `exitgpu ${verb.name} --help`);
    if (Array.isArray(value)) throw new UsageError(`${typed}: expected once, got ${value.length} times`);
    if (flag.placeholder && typeof value === 'boolean') {
      throw new UsageError(`${typed}: expected <${flag.placeholder}> after it, got nothing`);
    }
    given.set(name, String(value));
  }
  return given;
}

function unknown(what: string, word: unknown, known: readonly string[], help: string): UsageError {
  const close = word === undefined ? [] : nearest(String(word), known);
  const way = close.length ? `did you mean ${close.join(' or ')}?` : `known are ${known.join(', ')}.`;
  const problem = word === undefined ? `expected a ${what}` : `unknown ${what} ${String(word)}`;
  return new UsageError(`${problem}: ${way} See ${help}`);
}

/** Names the flag that a message is about. */
function within<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof UsageError ? new UsageError(`${name}: ${error.message}`) : error;
  }
}

/** As on the command line: `maxLoss` is `max-loss`. */
export const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
