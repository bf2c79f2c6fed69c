package org.apache.spark.livius

import org.apache.spark.SparkContext

/** This JVM's SparkContext. In Spark's package because Spark keeps it to itself. */
object RunningContext {

  /** The context that has not stopped, once its constructor has come to its end. */
  def now: Option[SparkContext] = SparkContext.getActive.filterNot(_.isStopped)

  /** The context of that application. */
  def of(appId: String): Option[SparkContext] = SparkContext.getActive.filter(_.applicationId == appId)
}
