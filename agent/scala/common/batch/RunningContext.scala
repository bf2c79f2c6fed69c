package org.apache.spark.livius

import org.apache.spark.SparkContext

/** This JVM's SparkContext. In Spark's package because Spark keeps it to itself. */
object RunningContext {

  /** The context of an application, once its constructor has come to its end. */
  def of(appId: String): Option[SparkContext] = SparkContext.getActive.filter(_.applicationId == appId)
}
