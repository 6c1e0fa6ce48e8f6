/** Ends an objective early and makes its trial PRUNED: `if (await trial.shouldPrune()) throw new TrialPruned();` */
export class TrialPruned extends Error {
  override readonly name = 'TrialPruned';

  constructor(message = 'the trial was pruned') {
    super(message);
  }
}
