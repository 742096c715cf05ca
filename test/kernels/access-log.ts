import { MemoryTracker } from 'wgsl_reflect/wgsl_reflect.module.js';

interface Access {
  readonly by: number;
  readonly line: number;
}

/** A write, and reads by two different ones, are all that a race with a later access can be with. */
interface Cell {
  write?: Access;
  read?: Access;
  otherRead?: Access;
}
type Cells = Map<string, Cell>;

export type MemoryKind = 'storage' | 'workgroup';

/** Hears of every access to memory that a kernel may write, and says which of them nothing orders. */
export class AccessLog extends MemoryTracker {
  readonly complaints = new Map<string, string>();
  /** What the kernel may write. */
  readonly memory = new Map<string, MemoryKind>();
  readonly written = new Set<string>();
  currentWorkgroup = 0;
  readonly #lines: readonly string[];
  readonly #sinceBarrier: Readonly<Record<MemoryKind, Cells>> = { storage: new Map(), workgroup: new Map() };
  readonly #inDispatch: Cells = new Map();

  constructor(lines: readonly string[]) {
    super();
    this.#lines = lines;
  }

  get currentText(): string {
    return this.#text(this.currentLine);
  }

  #text(line: number): string {
    return this.#lines[line - 1]?.trim() ?? '';
  }

  complain(message: string, key = message): void {
    if (!this.complaints.has(key)) this.complaints.set(key, message);
  }

  /** A barrier: in this workgroup and this kind of memory, all accesses before it come before all that follow. */
  order(kind: MemoryKind): void {
    this.#sinceBarrier[kind].clear();
  }

  /** The end of a workgroup. */
  override endPhase(): void {
    this.order('storage');
    this.order('workgroup');
  }

  override record(name: string, offset: number, size: number, kind: 'read' | 'write', atomic: boolean): void {
    if (kind === 'write') this.written.add(name);
    // An atomic can be accessed in no other way, and atomic accesses do not race with each other.
    if (atomic) return;
    const { currentLine: line, currentInvocation, currentWorkgroup } = this;
    const memory = this.memory.get(name)!;
    for (let byte = offset; byte < offset + size; byte += Math.min(size, 4)) {
      const key = `${name} byte ${byte}`;
      this.#note(this.#sinceBarrier[memory], key, kind, { by: currentInvocation, line }, 'invocations');
      if (memory === 'storage') this.#note(this.#inDispatch, key, kind, { by: currentWorkgroup, line }, 'workgroups');
    }
  }

  #note(cells: Cells, key: string, kind: 'read' | 'write', access: Access, agents: string): void {
    const cell = cells.get(key) ?? {};
    cells.set(key, cell);
    const rivals = kind === 'write' ? [cell.write, cell.read, cell.otherRead] : [cell.write];
    const rival = rivals.find((other) => other && other.by !== access.by);
    if (rival) {
      const [first, second] = [rival, access].map(({ line }) => this.#text(line));
      const message = `${key}: ${agents} ${rival.by} and ${access.by} race, in \`${first}\` and \`${second}\``;
      this.complain(message, `${agents} ${first} ${second}`);
    }
    if (kind === 'write') cell.write = access;
    else if (!cell.read) cell.read = access;
    else if (cell.read.by !== access.by) cell.otherRead = access;
  }
}
