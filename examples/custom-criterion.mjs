// An exit criterion of one's own: leave where the Renyi entropy of order infinity, -log of the greatest probability, is below
// a bound that rises with depth: what is hard may be less sure, the later the more. The bound is set while the classifier
// lives, and nothing is compiled again.
//
//     npm install exitgpu webgpu wesl wgsl_reflect
//     node custom-criterion.mjs
import { bLeNet, Model, open, proceduralSplit, statistics, train } from 'exitgpu';
import { wgslCriterion } from 'exitgpu/custom';

const sure = await wgslCriterion(
  `
  struct Params {
    bound: f32,
    slope: f32,
  }

  fn leave(s: ExitScores, p: Params) -> bool {
    let renyi = -log(s.confidence);
    return renyi < p.bound + p.slope * f32(s.exit);
  }
  `,
  { bound: 0, slope: 0.5 },
);

const device = await open();
try {
  const data = proceduralSplit({ seed: 1, train: 500, validation: 1, test: 200 });
  const model = Model.initialize(device, bLeNet(), { seed: 1, normalization: statistics(data.train) });
  await train(model, data.train, { epochs: 1, seed: 1 });

  const classifier = await model.compile({ criterion: sure, batch: 64 });
  for (const slope of [0, 0.5, 1, 2]) {
    classifier.setCriterion(sure.with({ bound: 0, slope }));
    const answers = await classifier.classifyBatch(data.test.images);
    const first = answers.filter(({ exit }) => exit === 1).length;
    console.log(`slope ${slope}: ${first} of ${answers.length} leave at exit 1`);
  }
  classifier.dispose();
  model.dispose();
} finally {
  device.destroy();
}
