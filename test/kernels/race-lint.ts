import { ScalarData, TrackedTypedData, TypedData, VectorData, WgslDebug } from 'wgsl_reflect/wgsl_reflect.module.js';
import type { WgslExec } from 'wgsl_reflect/wgsl_reflect.module.js';
import type { LinkedKernel } from '../../scripts/kernels.mjs';
import { writeStruct } from '../../src/kernels/kernel.ts';
import { AccessLog } from './access-log.ts';
import type { MemoryKind } from './access-log.ts';
import { interpretable } from './interpretable.ts';

export interface RaceInput {
  /** Left out: every number is 3. */
  readonly params?: object;
  readonly liveRows?: number;
  /** In workgroups; left out: two. */
  readonly grid?: readonly [x: number, y?: number, z?: number];
  /** Contents of storage bindings; those left out hold 0, 1, 2, ... up to 65535. */
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
  } catch (error) {
    log.complain(`the interpreter: ${String(error)} at \`${log.currentText}\``);
  } finally {
    Object.assign(console, { error, log: print });
  }
  return {
    complaints: [...log.complaints.values()],
    unwritten: [...log.memory.keys()].filter((name) => !log.written.has(name)),
  };
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

/** What each barrier orders. */
const BARRIERS = new Map<string | undefined, MemoryKind>([
  ['workgroupBarrier', 'workgroup'],
  ['storageBarrier', 'storage'],
]);

function dispatch(kernel: LinkedKernel, input: RaceInput, log: AccessLog): void {
  const debug = new WgslDebug(interpretable(kernel.wgsl, input.overrides));
  const { exec } = debug;
  const { context } = exec;
  exec._execStatements(exec.ast, context);
  bindBuffers(exec, kernel, input, log);

  const [x, y = 1, z = 1] = input.grid ?? [2];
  const { node: main } = context.getFunction('main')!;
  const size = exec.reflection.getFunctionInfo('main')!.workgroupSize!;
  const vector = (values: number[]) => new VectorData(values, exec.getTypeInfo('vec3u')!);
  const scalar = (value: number) => new ScalarData(value, exec.getTypeInfo('u32')!);
  for (const group of box(x, y, z)) {
    clearWorkgroupMemory(exec, log);
    const stacks = box(...size).map((local, index) => {
      const builtins: Record<string, VectorData | ScalarData> = {
        workgroup_id: vector(group),
        num_workgroups: vector([x, y, z]),
        local_invocation_id: vector(local),
        local_invocation_index: scalar(index),
        // The interpreter knows no subgroup operations, and a subgroup of one needs none.
        subgroup_invocation_id: scalar(0),
        subgroup_size: scalar(1),
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

function bindBuffers(exec: WgslExec, kernel: LinkedKernel, input: RaceInput, log: AccessLog): void {
  const bind = (name: string, data: ArrayBuffer) =>
    exec.context.setVariable(name, new TypedData(data, typeOf(exec, name)));
  for (const { name, access } of kernel.storage) {
    const data =
      input.storage?.[name]?.slice().buffer ?? Uint32Array.from({ length: 65536 }, (_, index) => index).buffer;
    if (access === 'read') bind(name, data);
    else track(exec, name, data, 'storage', log);
  }
  if (kernel.params) bind('params', paramsBuffer(kernel.params.struct, input.params));
  if (kernel.live) bind('live', new Uint32Array([input.liveRows ?? 2]).buffer);
}

function clearWorkgroupMemory(exec: WgslExec, log: AccessLog): void {
  for (const [name, { node }] of exec.context.variables) {
    if (!node || !('storage' in node) || node.storage !== 'workgroup') continue;
    track(exec, name, new ArrayBuffer(typeOf(exec, name).size), 'workgroup', log);
  }
}

function track(exec: WgslExec, name: string, data: ArrayBuffer, kind: MemoryKind, log: AccessLog): void {
  log.memory.set(name, kind);
  exec.context.setVariable(name, new TrackedTypedData(data, typeOf(exec, name), log, name));
}

const typeOf = (exec: WgslExec, name: string) => exec.getTypeInfo(exec.context.getVariable(name)!.node!.type!)!;

/** Each invocation runs to its next barrier, or its end, before the next one starts. */
function runWorkgroup(stacks: readonly Stack[], step: (stack: Stack) => void, log: AccessLog): void {
  let waiting = stacks;
  while (waiting.length > 0) {
    const barriers = new Set<Command['node']>();
    waiting = waiting.filter((stack) => {
      log.currentInvocation = stacks.indexOf(stack);
      for (let command = stack.next; command; command = stack.next) {
        log.currentLine = command.line;
        if (BARRIERS.has(command.node?.name)) {
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
    for (const barrier of barriers) log.order(BARRIERS.get(barrier?.name)!);
    for (const stack of waiting) step(stack);
  }
  log.endPhase();
}

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
