/**
 * One class per kind of failure. Every message names the operation, what was expected, what came, and the way out;
 * `code` is stable and survives minification, so callers may switch on it.
 */
export class ExitGpuError extends Error {
  readonly code: string = 'exitgpu';
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** No WebGPU, or no adapter that can be used. Thrown by `open()` only. */
export class NoAdapterError extends ExitGpuError {
  override readonly code = 'no-adapter';
}

/**
 * The GPU device went away: destroyed, reset, or its process crashed. Nothing on it can be used again; `open()` a new
 * one.
 */
export class DeviceLostError extends ExitGpuError {
  override readonly code = 'device-lost';
  /** `destroyed` when `device.destroy()` was called, otherwise what the driver said. */
  readonly reason: string;
  constructor(reason: string, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** WebGPU refused something: a validation, out-of-memory or internal error, or a shader that does not compile. */
export class GpuError extends ExitGpuError {
  override readonly code = 'gpu';
}

/** A shape, rank or dtype that an operation does not take. */
export class ShapeError extends ExitGpuError {
  override readonly code = 'shape';
}

/** An option, attribute or argument outside its range. */
export class ArgumentError extends ExitGpuError {
  override readonly code = 'argument';
}

/** Backward reached an operation that has no gradient. Thrown while tracing, with the path of operations. */
export class NoGradientError extends ExitGpuError {
  override readonly code = 'no-gradient';
}

/** An output of a program was used after a later run had overwritten it. */
export class StaleOutputError extends ExitGpuError {
  override readonly code = 'stale-output';
}

/** An object was used after it had been disposed of. */
export class DisposedError extends ExitGpuError {
  override readonly code = 'disposed';
}

/** More calls overlap than may run and wait. Nothing was done; the same call may be made again later. */
export class QueueFullError extends ExitGpuError {
  override readonly code = 'queue-full';
}

/** A data file (IDX, PNG, ...) that is truncated, foreign, or contradicts another. */
export class DataError extends ExitGpuError {
  override readonly code = 'data';
}

/** A model of another format asks for something that this library has no counterpart for. */
export class UnsupportedError extends ExitGpuError {
  override readonly code = 'unsupported';
}

/** A model file that is malformed, or of a version or architecture that this build does not know. */
export class ModelFileError extends ExitGpuError {
  override readonly code = 'model-file';
}

/** Nothing that saves could be guaranteed on the calibration set. */
export class NotCertifiedError extends ExitGpuError {
  override readonly code = 'not-certified';
  /** Samples that would do if none showed a loss; `undefined` if no number would, or more than a million. */
  readonly least: number | undefined;
  /** About how many would do if further samples were like those seen; `undefined` as above. */
  readonly estimate: number | undefined;
  constructor(message: string, samples: { least?: number | undefined; estimate?: number | undefined } = {}) {
    super(message);
    this.least = samples.least;
    this.estimate = samples.estimate;
  }
}

/** Training went where it cannot come back from: a loss that is not finite. */
export class TrainingError extends ExitGpuError {
  override readonly code = 'training';
}
