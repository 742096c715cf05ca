/** What runs in the page, see browser.ts: nothing of Node may be imported here. */
import { CASES } from './cases.ts';
import { compare, errorsOf, openPeers } from './compare.ts';
import type { Opened, Row } from './compare.ts';
import { Unsupported } from './peer.ts';
import type { PeerList } from './peer.ts';

declare global {
  var bench: {
    open(): Promise<Omit<Opened, 'peers'> & { readonly names: readonly string[] }>;
    /** Also says how many errors of WebGPU each peer has had meanwhile. */
    compare(
      name: string,
      passes: number,
      without: readonly string[],
    ): Promise<{ row: Row; errors: Record<string, number> }>;
  };
  /** Provided by Node: whose turn it is. */
  function tell(peer: string): Promise<void>;
}

/** Who is measured in a page. */
const PEERS: PeerList = {
  exitgpu: async () => (await import('./exitgpu.ts')).open,
  bare: async () => (await import('./bare.ts')).open,
  async tfjs() {
    const { open } = await import('./tfjs.ts');
    await import('@tensorflow/tfjs-core/dist/register_all_gradients.js');
    return open;
  },
  'jax-js': async () => (await import('./jax.ts')).open,
  async 'onnxruntime-web'() {
    throw new Unsupported('not among the packages of bench/peers');
  },
};

let opened: Opened;
globalThis.bench = {
  async open() {
    opened = await openPeers(PEERS, navigator.gpu);
    const { adapter, peers, leftOut } = opened;
    return { adapter, leftOut, names: [...peers.keys()] };
  },
  async compare(name, passes, without) {
    const peers = new Map([...opened.peers].filter(([peer]) => !without.includes(peer)));
    const before = errorsOf(peers);
    const row = await compare(CASES.find((each) => each.name === name)!, peers, passes, tell);
    const more = Object.entries(errorsOf(peers)).map(([peer, count]) => [peer, count! - before[peer]!]);
    return { row, errors: Object.fromEntries(more) };
  },
};
