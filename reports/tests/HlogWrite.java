/* SPDX-License-Identifier: MIT */
/* HlogWrite.java - writes logs as other programs do with HdrHistogram, for test_hlog_reader.py.
 *
 * java -cp hdrhistogram.jar HlogWrite.java FOLDER. Writes logs into FOLDER and prints what is in
 * them: "log NAME", for each interval "line TAG START LENGTH" (seconds), and for each value counted
 * "bucket VALUE COUNT".
 */
import java.io.File;
import java.util.Locale;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.HistogramIterationValue;
import org.HdrHistogram.HistogramLogWriter;

public class HlogWrite {
    static long state = 12345;

    /* A value of about `bits` bits, from a generator of its own so that each run has the same. */
    static long value(int bits) {
        state = state * 6364136223846793005L + 1442695040888963407L;
        return state >>> (64 - bits + (state >>> 13 & 7));
    }

    static Histogram filled(Histogram h, String tag, long startMs, int count, int bits) {
        for (int i = 0; i < count; i++)
            h.recordValueWithCount(value(bits), 1 + (value(20) & 0xff) * (value(20) & 0xffff));
        h.setTag(tag);
        h.setStartTimeStamp(startMs);
        h.setEndTimeStamp(startMs + 1500);
        return h;
    }

    static void print(Histogram h) {
        System.out.format(Locale.US, "line %s %.3f %.3f\n", h.getTag(),
                h.getStartTimeStamp() / 1000.0,
                (h.getEndTimeStamp() - h.getStartTimeStamp()) / 1000.0);
        for (HistogramIterationValue at : h.recordedValues())
            System.out.format("bucket %d %d\n", h.highestEquivalentValue(at.getValueIteratedTo()),
                    at.getCountAtValueIteratedTo());
    }

    static void write(String folder, String name, long base, Histogram... all) throws Exception {
        HistogramLogWriter writer = new HistogramLogWriter(new File(folder, name));
        writer.outputComment("[Logged with a comment]");
        writer.outputLogFormatVersion();
        if (base != 0)
            writer.outputBaseTime(base);
        writer.outputStartTime(all[0].getStartTimeStamp());
        writer.setBaseTime(base);
        writer.outputLegend();
        System.out.println("log " + name);
        for (Histogram h : all) {
            writer.outputIntervalHistogram(h);
            print(h);
        }
        writer.close();
    }

    public static void main(String[] arguments) throws Exception {
        long now = 1700000000123L;
        Histogram shifted = filled(new Histogram(1, 1L << 40, 2), null, now + 2000, 50, 20);
        shifted.shiftValuesLeft(3);
        write(arguments[0], "untagged", 0, filled(new Histogram(3), null, now, 500, 34),
                filled(new Histogram(3), null, now + 1500, 0, 34), shifted);
        write(arguments[0], "based", now, filled(new Histogram(2), "a", now, 300, 60),
                filled(new Histogram(1), "b/c", now + 250, 300, 30));
        write(arguments[0], "coarse", 0,
                filled(new Histogram(1000, 3600000000000L, 3), "x", now, 400, 40),
                filled(new Histogram(1, 1L << 30, 0), "x", now, 400, 29),
                filled(new Histogram(1, 1L << 30, 5), "x", now, 400, 29));
    }
}
