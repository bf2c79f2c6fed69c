package org.apache.spark.livius

import java.net.URI
import java.nio.channels.ReadableByteChannel

import org.apache.spark.{SparkContext, SparkEnv}

/** Reads what the driver's own file server offers under `spark://`. In Spark's package because
  * Spark keeps this to itself.
  */
object DriverFiles {

  def open(spark: SparkContext, file: URI): ReadableByteChannel = SparkEnv.get.rpcEnv.openChannel(file.toString)
}
