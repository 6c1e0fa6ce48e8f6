/** What reads the files that trackers' loggers write. */
export const READERS = ['tensorboard==2.21.0'];
