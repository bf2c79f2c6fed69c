package org.apache.livy

import org.apache.spark.sql.hive.HiveContext

/** What jobs find of Hive, in a Spark that was built with it. */
trait HiveJobContext {

  /** Null in a session whose catalog is not Hive's. */
  def hivectx(): HiveContext
}
