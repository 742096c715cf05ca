import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { Lanes } from '../../src/earlyexit/scheduling/lanes.ts';
import type { LanesOptions } from '../../src/earlyexit/scheduling/lanes.ts';
import { ArgumentError, DisposedError, QueueFullError } from '../../src/errors.ts';
import { Random } from '../../src/random.ts';

/** A lane that notices two users at once, and use after its end. */
class Lane {
  users = 0;
  disposals = 0;
  enter(): void {
    expect([++this.users, this.disposals], 'users, disposals').toEqual([1, 0]);
  }
  leave(): void {
    this.users--;
  }
  dispose(): void {
    expect(this.users, 'disposed of while in use').toBe(0);
    this.disposals++;
  }
}

/** A promise that the test settles, when and as it likes. */
class Gate<V = void> {
  readonly promise: Promise<V>;
  open!: (value: V) => void;
  fail!: (error: unknown) => void;
  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.open = resolve;
      this.fail = reject;
    });
    // It may fail before anybody awaits it.
    this.promise.catch(() => undefined);
  }
}

/** After every continuation that can run has run. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Lanes, with gates before what they make and all that was begun, in order. */
function pool(options: Partial<LanesOptions<Lane>> = {}) {
  const made: Gate<Lane>[] = [];
  const begun: number[] = [];
  const make = (): Promise<Lane> => {
    const gate = new Gate<Lane>();
    made.push(gate);
    return gate.promise;
  };
  const first = new Lane();
  const lanes = new Lanes({ name: 'classifier', first, most: 1, queue: 64, make, ...options });

  /** A caller that stays in its lane until `gate` is settled. */
  const call = (caller: number, signal?: AbortSignal) => {
    const gate = new Gate();
    const body = async (lane: Lane): Promise<number> => {
      lane.enter();
      begun.push(caller);
      try {
        await gate.promise;
        return caller;
      } finally {
        lane.leave();
      }
    };
    const result = lanes.use(body, { signal });
    // Looked at later: until then nobody may call it unhandled.
    result.catch(() => undefined);
    return { gate, result };
  };
  const count = (): number => {
    let lanesSeen = 0;
    lanes.forEach(() => lanesSeen++);
    return lanesSeen;
  };
  return { lanes, first, made, begun, call, count };
}

const isSettled = async (promise: Promise<unknown>): Promise<boolean> => {
  let done = false;
  promise.then(() => (done = true), () => (done = true));
  await settled();
  return done;
};

describe('lanes', () => {
  it.each([0, 1.5, NaN, Infinity])('are not %d', (most) => {
    expect(() => pool({ most })).toThrow(ArgumentError);
  });

  it.each([-1, 0.5, NaN, Infinity])('have no queue of %d', (queue) => {
    expect(() => pool({ queue })).toThrow(ArgumentError);
  });

  it('serves in order of arrival, one at a time', async () => {
    const { call, begun, made } = pool();
    const calls = [0, 1, 2, 3].map((caller) => call(caller));
    for (const [caller, { gate, result }] of calls.entries()) {
      await settled();
      expect(begun).toEqual([0, 1, 2, 3].slice(0, caller + 1));
      gate.open();
      expect(await result).toBe(caller);
    }
    expect(made).toHaveLength(0);
  });

  it('lets no newcomer overtake, in whichever step it comes', async () => {
    const { call, begun, made } = pool({ most: 2 });
    const one = call(0);
    const two = call(1);
    made[0]!.open(new Lane());
    await settled();
    call(2).gate.open();
    one.gate.open();
    two.gate.open();
    for (let caller = 3; caller < 20; caller++) {
      call(caller).gate.open();
      await Promise.resolve();
    }
    await settled();
    expect(begun).toEqual(Array.from({ length: 20 }, (_, caller) => caller));
  });

  it('makes a lane for a caller that must wait, and no other', async () => {
    const { call, begun, made, count } = pool({ most: 3 });
    const alone = call(0);
    expect(made).toHaveLength(0);
    alone.gate.open();
    await alone.result;
    const calls = [1, 2, 3, 4].map((caller) => call(caller));
    expect(made).toHaveLength(2);
    expect(count()).toBe(1);
    made[1]!.open(new Lane());
    await settled();
    expect(begun).toEqual([0, 1, 2]);
    made[0]!.open(new Lane());
    await settled();
    expect(begun).toEqual([0, 1, 2, 3]);
    expect(count()).toBe(3);
    for (const { gate } of calls) gate.open();
    await Promise.all(calls.map(({ result }) => result));
    expect(made).toHaveLength(2);
  });

  it('gives a lane under way to the next caller where its own was served by another', async () => {
    const { call, begun, made } = pool({ most: 3, queue: 0 });
    const one = call(0);
    call(1);
    one.gate.open();
    await one.result;
    expect(begun).toEqual([0, 1]);
    call(2);
    expect(made).toHaveLength(1);
    made[0]!.open(new Lane());
    await settled();
    expect(begun).toEqual([0, 1, 2]);
  });

  it('bounds the queue; a caller whose lane is being made waits too', async () => {
    const { call, made, begun } = pool({ most: 2, queue: 2 });
    const calls = [0, 1, 2].map((caller) => call(caller));
    const full = call(3).result;
    await expect(full).rejects.toThrow(QueueFullError);
    await expect(full).rejects.toThrow(/^classifier: .* 2 calls .*lanes: 1.*await .*`queue` or `concurrency`/);
    made[0]!.open(new Lane());
    await settled();
    calls.push(call(4));
    await expect(call(5).result).rejects.toThrow(/lanes: 2/);
    for (const { gate } of calls) gate.open();
    expect(await Promise.all(calls.map(({ result }) => result))).toEqual([0, 1, 2, 4]);
    expect(begun).toEqual([0, 1, 2, 4]);
  });

  it('with no queue takes as many callers as lanes', async () => {
    const { call, made } = pool({ most: 2, queue: 0 });
    const calls = [call(0), call(1)];
    await expect(call(2).result).rejects.toThrow(QueueFullError);
    made[0]!.open(new Lane());
    await settled();
    await expect(call(3).result).rejects.toThrow(QueueFullError);
    for (const { gate } of calls) gate.open();
    expect(await Promise.all(calls.map(({ result }) => result))).toEqual([0, 1]);
  });

  it('gives the lane back when the body fails, at once or later', async () => {
    const { lanes, call, first } = pool();
    const failing = call(0);
    const next = call(1);
    failing.gate.fail(new Error('in the body'));
    await expect(failing.result).rejects.toThrow('in the body');
    next.gate.open();
    expect(await next.result).toBe(1);
    const thrower = (): Promise<void> => {
      throw new Error('before its promise');
    };
    await expect(lanes.use(thrower)).rejects.toThrow('before its promise');
    expect(await lanes.use(async (lane) => lane)).toBe(first);
  });

  it('resolves idle when the last caller has left', async () => {
    const { lanes, call } = pool();
    await lanes.idle();
    const calls = [call(0), call(1)];
    const idle = lanes.idle();
    calls[0]!.gate.open();
    expect(await isSettled(idle)).toBe(false);
    calls[1]!.gate.open();
    expect(await isSettled(idle)).toBe(true);
  });
});

describe('a signal', () => {
  const reason = new Error('not needed any more');

  it('aborted before the call rejects it', async () => {
    const { call, begun } = pool();
    await expect(call(0, AbortSignal.abort(reason)).result).rejects.toBe(reason);
    expect(begun).toEqual([]);
  });

  it('rejects a caller that waits and leaves no trace of it', async () => {
    const { call, begun } = pool({ queue: 2 });
    const controller = new AbortController();
    const one = call(0, controller.signal);
    const two = call(1, controller.signal);
    const three = call(2);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1);
    controller.abort(reason);
    await expect(two.result).rejects.toBe(reason);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
    const four = call(3);
    for (const { gate } of [one, three, four]) gate.open();
    expect(await Promise.all([one.result, three.result, four.result])).toEqual([0, 2, 3]);
    expect(begun).toEqual([0, 2, 3]);
  });

  it('is no longer heard once the body runs', async () => {
    const { call } = pool();
    const controller = new AbortController();
    const one = call(0);
    const two = call(1, controller.signal);
    one.gate.open();
    await one.result;
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
    controller.abort(reason);
    two.gate.open();
    expect(await two.result).toBe(1);
  });

  it('does not lose the lane that was being made', async () => {
    const { call, made, count } = pool({ most: 2 });
    const controller = new AbortController();
    call(0);
    const left = call(1, controller.signal);
    controller.abort(reason);
    await expect(left.result).rejects.toBe(reason);
    made[0]!.open(new Lane());
    await settled();
    expect(count()).toBe(2);
    const next = call(2);
    next.gate.open();
    expect(await next.result).toBe(2);
  });
});

describe('a lane that cannot be made', () => {
  const error = new Error('out of memory');

  it('strands nobody, is not tried again, and is told of', async () => {
    const { lanes, call, made, begun, count } = pool({ most: 3, queue: 2 });
    expect(lanes.makeError).toBeUndefined();
    const calls = [0, 1, 2].map((caller) => call(caller));
    made[0]!.fail(error);
    await settled();
    expect(lanes.makeError).toBe(error);
    const full = call(3).result;
    await expect(full).rejects.toMatchObject({ code: 'queue-full', cause: error });
    await expect(full).rejects.toThrow(/no further lane could be made/);
    expect(made).toHaveLength(2);
    // The other was under way already.
    made[1]!.open(new Lane());
    await settled();
    expect(begun).toEqual([0, 1]);
    expect(count()).toBe(2);
    for (const { gate } of calls) gate.open();
    expect(await Promise.all(calls.map(({ result }) => result))).toEqual([0, 1, 2]);
  });

  it('leaves the queue as short as it was', async () => {
    const { call, made, begun } = pool({ most: 2, queue: 0 });
    const [one, two] = [call(0), call(1)];
    made[0]!.fail(error);
    one.gate.open();
    await one.result;
    expect(begun).toEqual([0, 1]);
    await expect(call(2).result).rejects.toThrow(QueueFullError);
    expect(made).toHaveLength(1);
    two.gate.open();
    expect(await two.result).toBe(1);
  });

  it('may fail before its promise', async () => {
    const { lanes, call } = pool({
      most: 2,
      make: () => {
        throw error;
      },
    });
    const calls = [call(0), call(1)];
    for (const { gate } of calls) gate.open();
    expect(await Promise.all(calls.map(({ result }) => result))).toEqual([0, 1]);
    expect(lanes.makeError).toBe(error);
  });
});

describe('disposing of lanes', () => {
  it('takes no more callers and lets those who wait finish', async () => {
    const { lanes, call, made, begun, first } = pool({ most: 2 });
    const second = new Lane();
    const calls = [0, 1, 2].map((caller) => call(caller));
    made[0]!.open(second);
    await settled();
    lanes.dispose();
    lanes.dispose();
    await expect(call(3).result).rejects.toThrow(new DisposedError('classifier: used after dispose()'));
    calls[1]!.gate.open();
    await settled();
    expect(begun).toEqual([0, 1, 2]);
    expect([first.disposals, second.disposals]).toEqual([0, 0]);
    calls[0]!.gate.open();
    await settled();
    expect([first.disposals, second.disposals]).toEqual([1, 0]);
    const idle = lanes.idle();
    expect(await isSettled(idle)).toBe(false);
    calls[2]!.gate.open();
    await idle;
    expect([first.disposals, second.disposals]).toEqual([1, 1]);
    expect(await Promise.all(calls.map(({ result }) => result))).toEqual([0, 1, 2]);
    lanes.dispose();
    expect([first.disposals, second.disposals]).toEqual([1, 1]);
  });

  it('frees what is idle at once, and a lane that comes too late', async () => {
    const { lanes, call, made, first } = pool({ most: 2 });
    const calls = [call(0), call(1)];
    for (const { gate } of calls) gate.open();
    await Promise.all(calls.map(({ result }) => result));
    lanes.dispose();
    expect(first.disposals).toBe(1);
    const late = new Lane();
    made[0]!.open(late);
    await settled();
    expect(late.disposals).toBe(1);
  });

  it('serves callers with a lane that was being made', async () => {
    const { lanes, call, made, begun } = pool({ most: 2 });
    const calls = [call(0), call(1)];
    lanes.dispose();
    const late = new Lane();
    made[0]!.open(late);
    await settled();
    expect(begun).toEqual([0, 1]);
    for (const { gate } of calls) gate.open();
    await lanes.idle();
    expect(late.disposals).toBe(1);
  });
});

describe('random interleavings', () => {
  /** Callers come, end, fail and leave, lanes are made or not, in an order drawn from the seed. */
  async function interleave(seed: number): Promise<{ rejected: number; lanes: number }> {
    const random = new Random(seed);
    const most = 1 + random.below(4);
    const queue = random.below(6);
    const { lanes, first, made, begun, call, count } = pool({ most, queue });
    const disposeAt = random.below(80);
    const all: Lane[] = [first];
    const callers: { controller: AbortController; gate: Gate; outcome?: unknown; settlements: number }[] = [];
    let makesSettled = 0;
    let peak = 0;

    const settleMake = (): void => {
      const gate = made[makesSettled++]!;
      if (random.below(8) === 0) return gate.fail(new Error('make'));
      all.push(new Lane());
      gate.open(all.at(-1)!);
    };
    const arrive = (): void => {
      const controller = new AbortController();
      const { gate, result } = call(callers.length, controller.signal);
      const caller: (typeof callers)[number] = { controller, gate, settlements: 0 };
      const note = (outcome: unknown): void => {
        caller.outcome = outcome;
        caller.settlements++;
      };
      result.then(note, note);
      callers.push(caller);
    };

    for (let step = 0; step < 60; step++) {
      if (step === disposeAt) lanes.dispose();
      const any = callers[random.below(Math.max(1, callers.length))];
      const action = random.below(10);
      if (action < 4) arrive();
      else if (action < 7) any?.gate.open();
      else if (action === 7) any?.gate.fail(new Error('body'));
      else if (action === 8) any?.controller.abort(new Error('abort'));
      else if (makesSettled < made.length) settleMake();
      // Nothing, one continuation or all of them run before the next step.
      if (random.below(2)) await (random.below(4) ? Promise.resolve() : settled());
      peak = Math.max(peak, count());
    }

    for (const { gate } of callers) gate.open();
    while (makesSettled < made.length) settleMake();
    await lanes.idle();
    lanes.dispose();
    await settled();

    expect(made.length, 'lanes made').toBeLessThan(most);
    expect(peak, 'lanes at once').toBeLessThanOrEqual(most);
    expect(begun, 'in order, each once').toEqual([...new Set(begun)].sort((a, b) => a - b));
    expect(callers.map(({ settlements }) => settlements)).toEqual(callers.map(() => 1));
    const listeners = callers.flatMap(({ controller }) => getEventListeners(controller.signal, 'abort'));
    expect(listeners, 'listeners left').toEqual([]);
    for (const [index, { controller, outcome }] of callers.entries()) {
      const served = begun.includes(index);
      if (served && outcome !== index) expect(outcome).toMatchObject({ message: 'body' });
      else if (!served && outcome !== controller.signal.reason) {
        expect([QueueFullError, DisposedError]).toContain((outcome as Error).constructor);
      }
    }
    expect(all.map(({ disposals }) => disposals)).toEqual(all.map(() => 1));
    return { rejected: callers.length - begun.length, lanes: all.length };
  }

  it('keep every promise, 1,000 times', async () => {
    const outcomes = { rejected: 0, lanes: 0 };
    for (let seed = 0; seed < 1000; seed++) {
      const { rejected, lanes } = await interleave(seed);
      outcomes.rejected += rejected;
      outcomes.lanes += lanes;
    }
    // The draws reach the corners, or the test would say little.
    expect(outcomes.rejected).toBeGreaterThan(1000);
    expect(outcomes.lanes).toBeGreaterThan(1500);
  });
});
