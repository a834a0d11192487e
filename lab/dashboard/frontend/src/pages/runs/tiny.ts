/** A model that a pair of CPU cores trains in a minute or two, and that still learns something to be seen. */
export const TINY = {
  "model.emb_dim": 96,
  "model.n_layers": 3,
  "model.n_heads": 3,
  "model.context_length": 64,
  "data.batch_size": 16,
  "optimizer.lr": 2e-3,
  "trainer.max_steps": 400,
  eval_every: 20,
  save: true,
  save_every: 20,
  keep: 20,
};
