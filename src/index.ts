// Public names, nothing else.
export * from './errors.ts';
export { open } from './device/open.ts';
export type { OpenOptions } from './device/open.ts';
export type { Counters, Device, MemoryUse } from './device/device.ts';
export { Rows } from './tensor/spec.ts';
export type { Dtype, Spec, TypedArray } from './tensor/spec.ts';
export { Tensor } from './tensor/tensor.ts';

export { compile } from './graph/program.ts';
export type { CompileOptions, Output, Program, RunInput } from './graph/program.ts';
export { byKernel, profile } from './graph/profile.ts';
export type { KernelTime, LaunchTime, Profile, ProfileMethod, ProfileOptions } from './graph/profile.ts';
export { measureLimits } from './graph/limits.ts';
export type { Limits } from './graph/limits.ts';
export { roofline } from './graph/roofline.ts';
export type { RooflinePlace, TimedWork } from './graph/roofline.ts';
export { checkpoint, store } from './graph/trace.ts';
export { tune } from './graph/tune.ts';
export type { Tuned, TunedVariant, TuneOptions } from './graph/tune.ts';
export { gradients } from './autograd/backward.ts';
export { adam, cosine, sgd, stepDecay, warmUp } from './autograd/optimizer.ts';
export type { OptimizerAttributes, OptimizerInputs } from './kernels/optimizer-step.ts';
export type { HyperOptions, Optimizer, Schedule } from './autograd/optimizer.ts';
export * as ops from './kernels/registry.ts';
export { augmentation } from './kernels/augment.ts';
export type { Augmentation } from './kernels/augment.ts';
export type { Operand, Value } from './kernels/define.ts';
export type { ExitKernels } from './kernels/exit-kernels.ts';

export { averagePool2d, conv2d, dropout, flatten, globalAveragePool, linear, maxPool2d, relu } from './nn/layers.ts';
export { convHead, linearHead, mixedPoolHead, poolHead } from './nn/heads.ts';
export type { ConvHeadOptions, Head } from './nn/heads.ts';
export { haltingHead, haltingStep } from './nn/halting.ts';
export type { Halting, LoopColumns } from './nn/halting.ts';
export { mixedPool2d } from './nn/mixed-pool.ts';
export {
  batchNorm2d, groupNorm, instanceNorm, layerNorm, localResponseNorm, rmsNorm,
} from './nn/normalization.ts';
export type { BatchNormOptions } from './nn/normalization.ts';
export { gru } from './nn/recurrent.ts';
export { padChannels, residual } from './nn/residual.ts';
export type { ResidualOptions } from './nn/residual.ts';
export { stopGradient } from './kernels/gradient-scale.ts';
export { meanCrossEntropy } from './kernels/cross-entropy.ts';
export { meanNll } from './kernels/nll.ts';
export type { Activation } from './kernels/activation.ts';
export type { Conv2dOptions, LinearOptions, PoolOptions } from './nn/layers.ts';
export type { Initializer, Layer, LayerContext, ParameterSpec } from './nn/layer.ts';
export { countParameters, Parameters } from './nn/parameters.ts';
export { parseSafetensors, serializeSafetensors } from './nn/safetensors.ts';
export type { Safetensors, SafetensorsTensor } from './nn/safetensors.ts';

export { multiExit } from './earlyexit/network.ts';
export type { Network, NetworkMacs, NetworkOptions, Stage, StageParts } from './earlyexit/network.ts';
export { attachExits, attachExitsToModel } from './earlyexit/attach-exits.ts';
export type { AttachedExit, AttachOptions } from './earlyexit/attach-exits.ts';
export { addGates } from './earlyexit/add-gates.ts';
export { halfModel } from './earlyexit/half-model.ts';
export { learnedGate, withGates } from './earlyexit/gates.ts';
export { learnedCriterion, learnsToLeave } from './earlyexit/learned-criterion.ts';
export { placeExits } from './earlyexit/place-exits.ts';
export type { PlainNetwork } from './earlyexit/plain-network.ts';
export { bAlexNet } from './earlyexit/models/b-alexnet.ts';
export { bLeNet } from './earlyexit/models/b-lenet.ts';
export { bResNet } from './earlyexit/models/b-resnet.ts';
export type { BResNetOptions } from './earlyexit/models/b-resnet.ts';
export { looped } from './earlyexit/models/looped.ts';
export type { LoopedOptions } from './earlyexit/models/looped.ts';
export { mlp } from './earlyexit/models/mlp.ts';
export type { MlpOptions } from './earlyexit/models/mlp.ts';
export { smallCnn } from './earlyexit/models/small-cnn.ts';
export type { SmallCnnOptions } from './earlyexit/models/small-cnn.ts';
export { Model } from './earlyexit/model.ts';
export type { ChosenThresholds, ModelDetails, PhaseRecord, TrainingRecord } from './earlyexit/model.ts';
export { loadModel, readModelFile, saveModel } from './earlyexit/model-file.ts';
export type { ModelFile } from './earlyexit/model-file.ts';
export type { Scores } from './earlyexit/records.ts';
export {
  and,
  change,
  confidence,
  CRITERIA,
  entropy,
  gate,
  halting,
  margin,
  maxDepth,
  minDepth,
  normalizedEntropy,
  or,
  patience,
  perClass,
} from './earlyexit/criteria.ts';
export type {
  Criterion,
  CriterionKind,
  DepthCriterion,
  Gate,
  GateCriterion,
  JoinedCriterion,
  PatienceCriterion,
  ThresholdCriterion,
  WgslCriterion,
} from './earlyexit/criteria.ts';
export type {
  Classifier,
  ClassifierInput,
  ClassifierOptions,
  ClassifyOptions,
  ClassifyTrace,
  ExplainedPlan,
  Prediction,
} from './earlyexit/classifier.ts';
export { measureCosts, measurePlan } from './earlyexit/scheduling/measure.ts';
export type { MeasureOptions } from './earlyexit/scheduling/measure.ts';
export { choosePlan } from './earlyexit/scheduling/planner.ts';
export { expectedMs } from './earlyexit/scheduling/cost-model.ts';
export { explainPlan } from './earlyexit/scheduling/explain.ts';
export { POLICIES } from './earlyexit/scheduling/costs.ts';
export type { Alternative, Plan } from './earlyexit/scheduling/planner.ts';
export type { Choice, DeviceCosts, GridCost, PartCost, PolicyKind } from './earlyexit/scheduling/costs.ts';
export { loadVariants, saveVariants, tuneModel } from './earlyexit/scheduling/tune-model.ts';
export type { TuneModelOptions } from './earlyexit/scheduling/tune-model.ts';
export { profileModel } from './earlyexit/scheduling/profile-model.ts';
export type { ProfileModelOptions } from './earlyexit/scheduling/profile-model.ts';
export { indexedDbPlanStore, memoryPlanStore, parsePlan, serializePlan } from './earlyexit/scheduling/plan-store.ts';
export type { PlanStore } from './earlyexit/scheduling/plan-store.ts';
export type { GridKind } from './graph/program.ts';
export { act, ponder } from './earlyexit/training/halting.ts';
export type { ActOptions, PonderOptions } from './earlyexit/training/halting.ts';
export type { HeadGradient } from './earlyexit/training/head-gradient.ts';
export { crossEntropies, distillation, earlyExitLoss, entropyPenalty, expectedCost } from './earlyexit/training/losses.ts';
export type {
  CrossEntropyOptions,
  DistillationOptions,
  EarlyExitLossOptions,
  EntropyPenaltyOptions,
  ExpectedCostOptions,
  LossContext,
  LossTerm,
} from './earlyexit/training/losses.ts';
export { gatedCrossEntropies, learnedGates } from './earlyexit/training/gates.ts';
export type { LearnedGatesOptions } from './earlyexit/training/gates.ts';
export * as exitWeights from './earlyexit/training/schedules.ts';
export type { ExitWeights, ScheduleContext, TermSchedule, WeightSchedule } from './earlyexit/training/schedules.ts';
export {
  alternating,
  distilled,
  gatesOnly,
  headsOnly,
  joint,
  jointGates,
  plateau,
  progressive,
  separate,
  STRATEGIES,
  twoPhase,
} from './earlyexit/training/strategies.ts';
export type { Phase, Plateau, Strategy } from './earlyexit/training/strategies.ts';
export { train } from './earlyexit/training/train.ts';
export type { CheckpointOptions, EpochProgress, StepProgress, TrainOptions } from './earlyexit/training/train.ts';
export type { ValidationOptions, ValidationProgress } from './earlyexit/training/validation.ts';
export { scoreExits } from './earlyexit/judgement/scores.ts';
export type { ScoreOptions, ScoreTable } from './earlyexit/judgement/scores.ts';
export { adaptiveCalibrationError, calibrationError, reliabilityBins } from './earlyexit/judgement/calibration.ts';
export type { ReliabilityBin, Said } from './earlyexit/judgement/calibration.ts';
export { brierScore, negativeLogLikelihood } from './earlyexit/judgement/calibration/proper-scores.ts';
export { fitTemperature } from './earlyexit/judgement/calibration/temperature.ts';
export type { TemperatureScaling } from './earlyexit/judgement/calibration/temperature.ts';
export { fitVector } from './earlyexit/judgement/calibration/vector.ts';
export type { VectorScaling } from './earlyexit/judgement/calibration/vector.ts';
export { fitPlatt } from './earlyexit/judgement/calibration/platt.ts';
export type { PlattScaling } from './earlyexit/judgement/calibration/platt.ts';
export { fitIsotonic } from './earlyexit/judgement/calibration/isotonic.ts';
export type { IsotonicScaling } from './earlyexit/judgement/calibration/isotonic.ts';
export {
  calibratedConfidence,
  calibratedLogits,
  calibrateExits,
  CALIBRATION_METHODS,
  rawThreshold,
} from './earlyexit/judgement/calibration/calibrators.ts';
export type {
  CalibrationMethod,
  Calibrator,
  ConfidenceCalibrator,
  LogitCalibrator,
} from './earlyexit/judgement/calibration/calibrators.ts';
export { calibrationReport } from './earlyexit/judgement/calibration/report.ts';
export type {
  CalibrationMeasures,
  CalibrationOptions,
  ExitCalibration,
} from './earlyexit/judgement/calibration/report.ts';
export { recordScores, restoreScores } from './earlyexit/judgement/recording.ts';
export type { RecordedScores, ScoreColumns, ScoreRecord } from './earlyexit/judgement/recording.ts';
export { exitShares, replay } from './earlyexit/judgement/thresholds.ts';
export { measureExitTimes } from './earlyexit/judgement/exit-times.ts';
export type { ExitTimes, ExitTimesOptions } from './earlyexit/judgement/exit-times.ts';
export { chooseThresholds, geometricShares, thresholdsForShares, tuneTo } from './earlyexit/judgement/tuning.ts';
export type { TuningTarget } from './earlyexit/judgement/tuning.ts';
export { classThresholds } from './earlyexit/judgement/per-class.ts';
export { pickSamples } from './earlyexit/judgement/sampling.ts';
export { diagnose } from './earlyexit/judgement/diagnosis.ts';
export type { Ailment, CaseHistory, Evidence, Examination, Finding } from './earlyexit/judgement/diagnosis.ts';
export { mcnemar } from './earlyexit/judgement/paired.ts';
export type { PairedTest } from './earlyexit/judgement/paired.ts';
export { compareRuns, sideBySide } from './earlyexit/judgement/side-by-side.ts';
export type { Run, RunComparison, RunSummary, SideBySide } from './earlyexit/judgement/side-by-side.ts';
export { sweep } from './earlyexit/judgement/sweep.ts';
export type { SweepOptions, SweepReport, SweptTimes } from './earlyexit/judgement/sweep.ts';
export { stability, UNSTABLE } from './earlyexit/judgement/stability.ts';
export type { StabilityOptions, ThresholdStability } from './earlyexit/judgement/stability.ts';
export { answers } from './earlyexit/judgement/answers.ts';
export type { Answers } from './earlyexit/judgement/answers.ts';
export { accuracyCurve, bestWithin, cheapestWith, undominated } from './earlyexit/judgement/curves.ts';
export type { CurvePoint, OperatingPoint } from './earlyexit/judgement/curves.ts';
export { exitDepths } from './earlyexit/judgement/depth.ts';
export type { DepthOptions, ExitDepth, ExitValue } from './earlyexit/judgement/depth.ts';
export { frontier } from './earlyexit/judgement/frontier.ts';
export type { FrontierOptions } from './earlyexit/judgement/frontier.ts';
export { bootstrap, bootstrapDifference, wilson } from './earlyexit/judgement/intervals.ts';
export type { BootstrapInterval, BootstrapOptions, Interval, Statistic } from './earlyexit/judgement/intervals.ts';
export { judgeThinking, oracle } from './earlyexit/judgement/overthinking.ts';
export type { Thinking, ThinkingReport } from './earlyexit/judgement/overthinking.ts';
export { auroc, fprAtTpr, riskAtCoverage, selectiveRisks } from './earlyexit/judgement/ranking.ts';
export type { SelectiveRisks } from './earlyexit/judgement/ranking.ts';
export { judgeSelection } from './earlyexit/judgement/selective.ts';
export type { SelectiveJudgement } from './earlyexit/judgement/selective.ts';
export { judgeUnknown, wrongfulExits } from './earlyexit/judgement/unknown.ts';
export type { UnknownJudgement } from './earlyexit/judgement/unknown.ts';
export { binomialTail, hoeffdingBentkus, waudbySmithRamdas } from './earlyexit/judgement/bounds.ts';
export type { MeanBound } from './earlyexit/judgement/bounds.ts';
export { RISK_BOUNDS, RISK_METHODS } from './earlyexit/judgement/guarantee.ts';
export type { Guarantee, RiskBound, RiskMethod } from './earlyexit/judgement/guarantee.ts';
export * as risks from './earlyexit/judgement/losses.ts';
export type { ExitOutcome, RiskLoss } from './earlyexit/judgement/losses.ts';
export { certify, controlRisk, samplesNeeded, thresholdGrid } from './earlyexit/judgement/risk-control.ts';
export type { RiskControlOptions, RiskRule } from './earlyexit/judgement/risk-control.ts';
export { Adwin } from './earlyexit/monitor/adwin.ts';
export type { Bucket } from './earlyexit/monitor/adwin.ts';
export { Cusum, exitCharts } from './earlyexit/monitor/cusum.ts';
export type { Chart, ChartOptions } from './earlyexit/monitor/cusum.ts';
export { joined, joinRare, ks, ksThreshold, psi, psiThreshold } from './earlyexit/monitor/distances.ts';
export { histogramsOf } from './earlyexit/monitor/histograms.ts';
export type { ExitHistogram, Outcome, ScoreBins } from './earlyexit/monitor/histograms.ts';
export { readingLine } from './earlyexit/monitor/lines.ts';
export { DETECTORS, Monitor } from './earlyexit/monitor/monitor.ts';
export type { Alarm, DetectorName, MonitorOptions, MonitorState } from './earlyexit/monitor/monitor.ts';
export { registerMetrics } from './earlyexit/monitor/prometheus.ts';
export type { Monitored, PromClient } from './earlyexit/monitor/prometheus.ts';
export { referenceOf } from './earlyexit/monitor/reference.ts';
export type { Reference, ReferenceExit, ReferenceOptions } from './earlyexit/monitor/reference.ts';
export { Supervisor } from './earlyexit/monitor/supervisor.ts';
export type { SupervisorOptions, SupervisorState } from './earlyexit/monitor/supervisor.ts';
export { evaluate } from './earlyexit/judgement/evaluate.ts';
export { measureLatency } from './earlyexit/judgement/latency.ts';
export type { Latency } from './earlyexit/judgement/latency.ts';
export { compareLoad, measureLoad } from './earlyexit/judgement/load.ts';
export type { Load, LoadOptions } from './earlyexit/judgement/load.ts';
export { measureWorstCase } from './earlyexit/judgement/worst-case.ts';
export type { LatencyTail, WorstCase, WorstCaseOptions } from './earlyexit/judgement/worst-case.ts';
export { searchSlowDown, slowDown } from './earlyexit/judgement/slow-down.ts';
export type { MeanDepth, SlowDownOptions, SlowDownReport } from './earlyexit/judgement/slow-down.ts';
export type { EvaluateOptions, EvaluationReport, ExitReport, Percentiles } from './earlyexit/judgement/evaluate.ts';

export { batches } from './data/batches.ts';
export type { Batch, BatchOptions } from './data/batches.ts';
export { parseCifar } from './data/cifar.ts';
export { corrupt, CORRUPTIONS } from './data/corruptions.ts';
export type { CorruptionKind, CorruptOptions } from './data/corruptions.ts';
export {
  assertDisjoint,
  createDataset,
  fingerprint,
  imageAt,
  sharedItems,
  slice,
  split,
  subset,
} from './data/dataset.ts';
export type { Dataset, DatasetParts, ImageShape } from './data/dataset.ts';
export { imagesAndLabels, parseIdx, unlabelledImages } from './data/idx.ts';
export { fitImage } from './data/image.ts';
export { shiftLabels } from './data/label-shift.ts';
export type { LabelShiftOptions } from './data/label-shift.ts';
export { mix } from './data/mix.ts';
export type { Mixture } from './data/mix.ts';
export { createNormalizer, statistics } from './data/normalization.ts';
export type { Normalization } from './data/normalization.ts';
export { evenDifficulty, parity, PARITY_NORMALIZATION, paritySplit } from './data/parity.ts';
export type { ParitySplitOptions } from './data/parity.ts';
export { proceduralDigits, proceduralSplit } from './data/procedural-digits.ts';
export { Random } from './random.ts';
