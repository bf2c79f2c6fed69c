package org.apache.livy

/** The Hive part of a job's context: empty, in a Spark that was built without Hive. */
trait HiveJobContext
