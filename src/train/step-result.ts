import type { Tensor } from '@tensorflow/tfjs-core';

/** The result of one step. */
export interface StepResult {
  readonly loss: number;
  /** L2 norm of all gradients before clipping. */
  readonly gradientNorm: number;
  /** By parameter group; `all` where there is one rate. */
  readonly learningRate: Readonly<Record<string, number>>;
  /** What the loss was multiplied by before its gradients, in f16. */
  readonly lossScale?: number;
  /** Where the scaled gradients were not finite: the step changed neither weights nor optimiser. */
  readonly skipped?: true;
}

/** A step's result from the numbers that it computed, which are freed. */
export async function reported(
  report: Tensor,
  learningRate: StepResult['learningRate'],
): Promise<StepResult> {
  try {
    const [loss, gradientNorm] = await report.data();
    return { loss: loss!, gradientNorm: gradientNorm!, learningRate };
  } finally {
    report.dispose();
  }
}
