-- What embeddings and explanations are made from, besides `training/features`.
SELECT id, title, plot, runtime_minutes FROM content ORDER BY id;
