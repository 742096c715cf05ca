import { ScalarData, TrackedTypedData, TypedData, VectorData, WgslDebug } from 'wgsl_reflect/wgsl_reflect.module.js';
import type { LinkedKernel } from '../../scripts/kernels.mjs';
import { writeStruct } from '../../src/kernels/kernel.ts';
import { AccessLog } from './access-log.ts';

export interface RaceInput {
  /** Left out: every number is 3. */
  readonly params?: object;
  readonly liveRows?: number;
  /** In workgroups; left out: two. */
  readonly grid?: readonly [x: number, y?: number, z?: number];
  /** Contents of storage bindings; those left out hold 0, 1, 2, ... up to 1023. */
  readonly storage?: Readonly<Record<string, Uint32Array | Float32Array | Int32Array>>;
  readonly overrides?: Readonly<Record<string, number>>;
}

export interface RaceReport {
  /** Races, barriers that not all invocations reach, and what the interpreter cannot follow. */
  readonly complaints: readonly string[];
  /** Writable bindings and workgroup variables that nobody wrote: the input reaches too little of the kernel. */
  readonly unwritten: readonly string[];
}

/**
 * Runs a kernel in the interpreter of wgsl_reflect and reports accesses that nothing orders: by two invocations between
 * barriers, or by two workgroups in one dispatch, to the same bytes, one of them a write.
 *
 * The library has `detectRaces`, which takes turns after every command although invocations share the place where the
 * result of a call is kept, misses a barrier that opens a block, scalars in workgroup memory, and other workgroups.
 * So only its parts are used: the interpreter, and buffers that tell of every access.
 */
export function lintRaces(kernel: LinkedKernel, input: RaceInput = {}): RaceReport {
  const log = new AccessLog(kernel.wgsl.split('\n'));
  const { error, log: print } = console;
  // Where the interpreter does not understand something, it says so on the console and goes on.
  console.error = console.log = (...words) => log.complain(`the interpreter: ${words.join(' ')}`);
  try {
    dispatch(kernel, input, log);
  } finally {
    Object.assign(console, { error, log: print });
  }
  return { complaints: [...log.complaints.values()], unwritten: [...log.memory.keys()].filter((name) => !log.written.has(name)) };
}

/** What the interpreter runs: its own stack of frames, made here because the library does not export the class. */
class Stack {
  readonly states: { isAtEnd: boolean; getCurrentCommand(): Command | null }[] = [];
  get isEmpty(): boolean {
    return this.states.length === 0;
  }
  get last() {
    return this.states.at(-1) ?? null;
  }
  pop(): void {
    this.states.pop();
  }
  get next(): Command | undefined {
    while (this.last?.isAtEnd) this.pop();
    return this.last?.getCurrentCommand() ?? undefined;
  }
}

interface Command {
  readonly line: number;
  readonly node?: { readonly name?: string };
}

const BARRIERS = ['workgroupBarrier', 'storageBarrier'];

function dispatch(kernel: LinkedKernel, input: RaceInput, log: AccessLog): void {
  const debug = new WgslDebug(lowered(kernel.wgsl, input.overrides));
  const { exec } = debug;
  const { context } = exec;
  exec._execStatements(exec.ast, context);
  const { node: main } = context.getFunction('main')!;
  const typeOf = (name: string) => exec.getTypeInfo(context.getVariable(name)!.node!.type!)!;
  const bind = (name: string, data: TypedData) => context.setVariable(name, data);

  for (const { name, access } of kernel.storage) {
    const bytes = input.storage?.[name]?.slice().buffer ?? Uint32Array.from({ length: 1024 }, (_, index) => index).buffer;
    if (access === 'read') bind(name, new TypedData(bytes, typeOf(name)));
    else {
      log.memory.set(name, 'storage');
      bind(name, new TrackedTypedData(bytes, typeOf(name), log, name));
    }
  }
  if (kernel.params) bind('params', new TypedData(paramsBuffer(kernel.params.struct, input.params), typeOf('params')));
  if (kernel.live) bind('live', new TypedData(new Uint32Array([input.liveRows ?? 2]).buffer, typeOf('live')));
  for (const [name, { node }] of context.variables) {
    if (node && 'storage' in node && node.storage === 'workgroup') log.memory.set(name, 'workgroup');
  }

  const [x, y = 1, z = 1] = input.grid ?? [2];
  const size = exec.reflection.getFunctionInfo('main')!.workgroupSize!;
  const vector = (values: number[]) => new VectorData(values, exec.getTypeInfo('vec3u')!);
  for (const group of box(x, y, z)) {
    for (const [name, kind] of log.memory) {
      if (kind === 'workgroup') bind(name, new TrackedTypedData(new ArrayBuffer(typeOf(name).size), typeOf(name), log, name));
    }
    const stacks = box(...size).map((local, index) => {
      const builtins: Record<string, VectorData | ScalarData> = {
        workgroup_id: vector(group),
        num_workgroups: vector([x, y, z]),
        local_invocation_id: vector(local),
        local_invocation_index: new ScalarData(index, exec.getTypeInfo('u32')!),
        global_invocation_id: vector(local.map((at, axis) => at + group[axis]! * size[axis]!)),
      };
      const own = context.clone();
      for (const { name, attributes } of main.args) {
        const builtin = builtins[String(attributes?.find((attribute) => attribute.name === 'builtin')?.value)];
        if (builtin) own.createVariable(name, builtin);
      }
      const stack = new Stack();
      stack.states.push(debug.createStackFrame(main.body, own));
      return stack;
    });
    runWorkgroup(stacks, (stack) => debug.stepStack(stack as never, true), log);
    log.currentWorkgroup++;
  }
}

/** Each invocation runs to its next barrier, or its end, before the next one starts. */
function runWorkgroup(stacks: readonly Stack[], step: (stack: Stack) => void, log: AccessLog): void {
  let waiting = stacks;
  while (waiting.length > 0) {
    const barriers = new Set<unknown>();
    waiting = waiting.filter((stack) => {
      log.currentInvocation = stacks.indexOf(stack);
      for (let command = stack.next; command; command = stack.next) {
        log.currentLine = command.line;
        if (BARRIERS.includes(command.node?.name ?? '')) {
          barriers.add(command.node);
          return true;
        }
        step(stack);
      }
      return false;
    });
    if (waiting.length > 0 && (waiting.length < stacks.length || barriers.size > 1)) {
      log.complain('not all invocations of a workgroup reach the same barrier');
    }
    log.endPhase();
    for (const stack of waiting) step(stack);
  }
}

/** The library copies the whole of the other buffer, where a part of it is assigned. */
const { setData } = TypedData.prototype;
TypedData.prototype.setData = function (exec, value, ...rest) {
  setData.call(this, exec, value instanceof TypedData ? value.clone() : value, ...rest);
};

function paramsBuffer(struct: NonNullable<LinkedKernel['params']>['struct'], value?: object): ArrayBuffer {
  const buffer = new ArrayBuffer(struct.size);
  const threes = struct.fields.map(({ name, length }) => [name, length === undefined ? 3 : Array(length).fill(3)]);
  writeStruct(struct, new DataView(buffer), 0, value ?? Object.fromEntries(threes));
  return buffer;
}

function box(width: number, height: number, depth: number): number[][] {
  return Array.from({ length: width * height * depth }, (_, index) => [
    index % width,
    Math.floor(index / width) % height,
    Math.floor(index / (width * height)),
  ]);
}

/** The same program in the words that the interpreter follows, line by line. */
function lowered(wgsl: string, overrides: Readonly<Record<string, number>> = {}): string {
  const code = wgsl
    .replace(/\benable [^;]*;/g, '')
    .replace(/\bf16\b/g, 'f32')
    .replace(/\b(vec[234]|\d[\d.]*)h\b/g, '$1f')
    .replace(/\boverride (\w+)([^=;]*)=([^;]*);/g, (_, name, type, value) => `const ${name}${type}=${overrides[name] ?? value};`)
    .replace(/([^;{}]*)\bworkgroupUniformLoad\(&([^;]*?)\);/g, 'workgroupBarrier();$1$2;workgroupBarrier();')
    // In structs it knows numbers only, and tests them as C does.
    .replace(/: bool\b/g, ': u32')
    // A barrier that opens a block is passed by in the step into the block; its twin is not.
    .replace(/\b(workgroup|storage)Barrier\(\);/g, '$&$&');
  // Only arrays and structs can tell of accesses.
  const scalar = /(?<=var<(?:workgroup|storage, \w+)> )(\w+): ((?:atomic<)?(?:[iuf]32|f16|bool|vec\w+)[^;]*)(?=;)/g;
  return [...code.matchAll(scalar)].reduce(
    (text, [, name, type]) =>
      text.replace(new RegExp(`(?<![.\\w])${name}\\b`, 'g'), `${name}[0]`).replace(`${name}[0]: ${type}`, `${name}: array<${type}, 1>`),
    code,
  );
}
