"""ALS trained by Apache Spark, for an organisation that trains on a cluster."""

from mgw.recommend.spark.fit import fit_on_spark

__all__ = ["fit_on_spark"]
