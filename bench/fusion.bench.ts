import { Random } from '../src/random.ts';
import { Model } from '../src/earlyexit/model.ts';
import { bLeNet } from '../src/earlyexit/models/b-lenet.ts';
import { bResNet } from '../src/earlyexit/models/b-resnet.ts';
import { smallCnn } from '../src/earlyexit/models/small-cnn.ts';
import { compile } from '../src/graph/program.ts';
import { Rows } from '../src/tensor/spec.ts';
import { bench } from './harness.ts';
import type { Case } from './harness.ts';

await bench(
  'fusion',
  'What do launches save that take the operations behind them?',
  async function* (device) {
    for (const network of [bLeNet(), smallCnn(), bResNet({ blocks: 3 })]) {
      using model = Model.initialize(device, network, { seed: 1 });
      const last = network.stages.length;
      for (const batch of [1, 16]) {
        const random = new Random(1);
        const x = Float32Array.from({ length: batch * model.sampleSize }, () => random.between(-1, 1));
        const rows = new Rows(batch);
        const cases: Case[] = [];
        const programs = [];
        const results: string[] = [];
        for (const without of [[], ['fuse']] as const) {
          const specs = { x: { dtype: 'f32', shape: [batch, ...network.input], rows } } as const;
          const program = await compile(
            device,
            specs,
            ({ x }) => {
              const context = { parameter: (name: string) => model.parameters.get(name) };
              const trunk = network.stages.reduce((value, _, index) => network.body(index + 1, value, context), x);
              return { y: network.exit(last, trunk, context) };
            },
            { without },
          );
          programs.push(program);
          results.push(String((await program.call({ x })).y));
          cases.push({
            name: `${network.name}, ${batch}, ${without.length > 0 ? 'each apart' : 'fused'}`,
            items: batch,
            facts: { dispatches: program.dispatches, memory: program.memory },
            run: () => program.call({ x }),
          });
        }
        if (results[0] !== results[1]) throw new Error(`${network.name}: other bits when fused`);
        yield cases;
        for (const program of programs) program.dispose();
      }
    }
  },
);
