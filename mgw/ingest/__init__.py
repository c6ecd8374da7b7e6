"""Data on its way into the database: MovieLens folders, CSV and Parquet files, and a generated sample."""
