// A whole exit kernel of one's own: it judges by the energy of the logits, logsumexp(z) (Liu et al. 2020,
// https://arxiv.org/abs/2010.03759), which the library does not know. What it does not care about it takes from the library.
//
//     npm install exitgpu webgpu wesl wgsl_reflect
//     node custom-exit-kernel.mjs
import { bLeNet, Model, open, proceduralSplit, statistics, train } from 'exitgpu';
import { wgslExitKernel } from 'exitgpu/custom';

const energyKernel = await wgslExitKernel(`
  import package::lib::exit_decision::hasLeft;
  import package::lib::exit_decision::recordOf;
  import package::lib::exit_record::records;
  import package::lib::exit_scores::addLogit;
  import package::lib::exit_scores::exitScores;
  import package::lib::exit_scores::noScores;
  import package::lib::exit_settings::settings;
  import package::lib::grid::linearIndex;
  import package::lib::live::Live;

  struct Params {
    classes: u32,
  }

  struct Energy {
    above: f32,
  }

  @group(0) @binding(1) var<storage, read> criterion: Energy;
  @group(0) @binding(3) var<storage, read> logits: array<u32>;
  @group(0) @binding(4) var<storage, read> origin: array<u32>;
  @group(0) @binding(5) var<storage, read_write> stays: array<u32>;
  @group(0) @binding(6) var<uniform> params: Params;
  @group(0) @binding(7) var<uniform> live: Live;

  @compute @workgroup_size(64)
  fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let row = linearIndex(group, local, 64);
    if (row >= live.rows) {
      if (row == 0) {
        stays[0] = 0;
      }
      return;
    }
    let at = origin[row];
    if (hasLeft(at)) {
      stays[row] = 0;
      return;
    }
    let start = row * params.classes;
    var running = noScores();
    for (var label = 0u; label < params.classes; label++) {
      running = addLogit(running, logits[start + label], settings.inverseTemperature, label);
    }
    // A pass of its own: the sum of the logits' exponentials, none of them beyond the greatest.
    var sum = 0.0;
    for (var label = 0u; label < params.classes; label++) {
      sum += exp(bitcast<f32>(logits[start + label]) * settings.inverseTemperature - running.greatest);
    }
    let energy = running.greatest + log(sum);
    let scores = exitScores(running, settings.exit, params.classes);
    let leaving = settings.always == 1 || (scores.finite && energy > criterion.above);
    records[at] = recordOf(scores, leaving);
    stays[row] = u32(!leaving);
  }
`);

const device = await open();
try {
  const data = proceduralSplit({ seed: 1, train: 500, validation: 1, test: 200 });
  const model = Model.initialize(device, bLeNet(), { seed: 1, normalization: statistics(data.train) });
  await train(model, data.train, { epochs: 1, seed: 1 });

  const criterion = energyKernel.criterion({ above: 1e30 });
  const classifier = await model.compile({ exitKernel: energyKernel, criterion, batch: 64 });
  for (const above of [1e30, 5, 3, -1e30]) {
    classifier.setCriterion(criterion.with({ above }));
    const answers = await classifier.classifyBatch(data.test.images);
    const first = answers.filter(({ exit }) => exit === 1).length;
    console.log(`energy above ${above}: ${first} of ${answers.length} leave at exit 1`);
  }
  classifier.dispose();
  model.dispose();
} finally {
  device.destroy();
}
