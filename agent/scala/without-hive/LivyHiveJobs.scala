package org.apache.livy

/** What jobs find of Hive: nothing, in a Spark that was built without it. */
trait HiveJobContext
