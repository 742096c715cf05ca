import { ArgumentError, DisposedError, QueueFullError } from '../../errors.ts';

export interface LanesOptions<T> {
  /** Who speaks in the errors. */
  readonly name: string;
  /** The lane that exists already. */
  readonly first: T;
  /** Most lanes, the first included: 1 or more. */
  readonly most: number;
  /** Most callers that wait: 0 or more. */
  readonly queue: number;
  /** Makes one more lane. */
  readonly make: () => Promise<T>;
}

type Serve<T> = (lane: T) => void;

/**
 * The room where overlapping calls wait. A lane is what one call at a time can use, such as a compiled program with
 * memory of its own; lanes are made when callers first wait for them. Callers are served strictly in order of arrival,
 * each by whichever lane is free first.
 *
 * While anybody waits, every lane is in use, and each that comes free goes straight to the head of the queue. The first
 * lane always exists, so that nobody waits in vain: a `make` that fails rejects no caller. The pool stops growing, the
 * lanes that exist serve those who wait, and `makeError` says why. Of a lost device callers learn through their lanes.
 */
export class Lanes<T extends { dispose(): void }> {
  readonly #name: string;
  readonly #queue: number;
  readonly #make: () => Promise<T>;
  readonly #lanes: Set<T>;
  readonly #free: T[];
  readonly #waiting: Serve<T>[] = [];
  readonly #idlers: (() => void)[] = [];
  #most: number;
  /** Lanes that exist or are being made. */
  #planned = 1;
  #makeError: unknown;
  #disposed = false;

  /** @throws ArgumentError unless `most` and `queue` are whole numbers in range */
  constructor({ name, first, most, queue, make }: LanesOptions<T>) {
    const check = (what: string, value: number, least: number): void => {
      if (Number.isInteger(value) && value >= least) return;
      throw new ArgumentError(`${name}: expected a ${what} of ${least} or more, got ${value}`);
    };
    check('concurrency', most, 1);
    check('queue', queue, 0);
    this.#name = name;
    this.#most = most;
    this.#queue = queue;
    this.#make = make;
    this.#lanes = new Set([first]);
    this.#free = [first];
  }

  /** Why the pool stopped growing; undefined while it has not. Also the `cause` of each QueueFullError that follows. */
  get makeError(): unknown {
    return this.#makeError;
  }

  /**
   * Runs `body` with a lane that nobody else uses until its promise settles. A signal counts while the caller waits;
   * once `body` runs it is for `body` to heed.
   *
   * @throws QueueFullError if no further lane may be made and `queue` callers wait already, those for a lane being made
   * included; DisposedError; the signal's reason; whatever `body` throws
   */
  async use<R>(body: (lane: T) => Promise<R>, { signal }: { readonly signal?: AbortSignal } = {}): Promise<R> {
    if (this.#disposed) throw new DisposedError(`${this.#name}: used after dispose()`);
    signal?.throwIfAborted();
    const lane = this.#free.pop();
    if (lane) return this.#run(lane, body);
    // A lane may be under way for a caller who has since left, or was served by another.
    const expected = this.#planned - this.#lanes.size > this.#waiting.length;
    const grows = !expected && this.#planned < this.#most;
    if (!expected && !grows && this.#waiting.length >= this.#queue) throw this.#full();
    const result = this.#wait(body, signal);
    if (grows) void this.#grow();
    return result;
  }

  /** Resolves when no caller runs or waits; a new one may have come by the time that the continuation runs. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#idlers.push(resolve);
      this.#tellIdlers();
    });
  }

  /** Visits the lanes that exist, in use or not; those still to come are for `make` to set up. */
  forEach(visit: (lane: T) => void): void {
    this.#lanes.forEach((lane) => visit(lane));
  }

  /** Takes no more callers; those who run or wait finish as ever. A lane that nobody needs any more is disposed of. */
  dispose(): void {
    this.#disposed = true;
    for (const lane of this.#free.splice(0)) {
      this.#lanes.delete(lane);
      lane.dispose();
    }
  }

  async #run<R>(lane: T, body: (lane: T) => Promise<R>): Promise<R> {
    try {
      return await body(lane);
    } finally {
      this.#give(lane);
    }
  }

  /** The body begins in the very step in which a lane comes free: a promise between would let a newcomer overtake. */
  #wait<R>(body: (lane: T) => Promise<R>, signal: AbortSignal | undefined): Promise<R> {
    return new Promise((resolve, reject) => {
      const serve: Serve<T> = (lane) => {
        signal?.removeEventListener('abort', leave);
        resolve(this.#run(lane, body));
      };
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(serve), 1);
        reject(signal!.reason);
      };
      this.#waiting.push(serve);
      signal?.addEventListener('abort', leave, { once: true });
    });
  }

  #give(lane: T): void {
    const serve = this.#waiting.shift();
    if (serve) return serve(lane);
    this.#free.push(lane);
    this.#tellIdlers();
    if (this.#disposed) this.dispose();
  }

  async #grow(): Promise<void> {
    this.#planned++;
    try {
      const lane = await this.#make();
      this.#lanes.add(lane);
      this.#give(lane);
    } catch (error) {
      this.#makeError = error;
      this.#most = --this.#planned;
    }
  }

  #tellIdlers(): void {
    if (this.#free.length < this.#lanes.size) return;
    for (const tell of this.#idlers.splice(0)) tell();
  }

  #full(): QueueFullError {
    const failed = this.#makeError !== undefined;
    const problem = `expected at most ${this.#queue} calls waiting (lanes: ${this.#lanes.size}), got one more`;
    const raise = failed ? '`queue`: no further lane could be made' : '`queue` or `concurrency`';
    const message = `${this.#name}: ${problem}; await earlier calls, or raise ${raise}`;
    return new QueueFullError(message, failed ? { cause: this.#makeError } : undefined);
  }
}
