/** What reads the files that trackers' loggers write. */
export const READERS = ['tensorboard==2.21.0', 'wandb==0.31.0', 'trackio==0.43.0'];

/** MLflow's server and client. */
export const MLFLOW = ['mlflow==3.17.2'];
