package org.apache.livy

import org.apache.spark.sql.hive.HiveContext

/** The Hive part of a job's context, in a Spark that was built with Hive. */
trait HiveJobContext {

  /** Null in a session whose catalog is not Hive's. */
  def hivectx(): HiveContext
}
