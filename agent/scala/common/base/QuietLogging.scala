package org.apache.spark.deploy.livius

import org.apache.spark.internal.Logging
import org.apache.spark.util.Utils

/** Keeps Spark's own lines out of a log that belongs to a user's job. */
object QuietLogging extends Logging {

  def install(): Unit = {
    // The first log line would initialise logging with Spark's own level.
    initializeLogIfNecessary(isInterpreter = true, silent = true)
    // By reflection: the class of the levels comes from log4j 1 up to Spark 3.2, and from log4j 2
    // after that.
    for (method <- Utils.getClass.getMethods.find(method => method.getName == "setLogLevel" && method.getParameterCount == 1)) {
      val off = method.getParameterTypes.head.getMethod("toLevel", classOf[String]).invoke(null, "OFF")
      method.invoke(Utils, off)
    }
  }
}
