using Budwood.Engine;
using Budwood.Recipes.Reports.Plots;
using Budwood.Recipes.Steps;

namespace Budwood.Recipes.Reports;

/// <summary>The picture of where everything comes from: files and steps as boxes in layers, arrows for what reads what.</summary>
internal sealed class StepMap
{
    private const double BoxWidth = 204, BoxHeight = 62, GapX = 28, GapY = 46, Margin = 4;

    /// <summary>A box: a step, or a file or model that steps read.</summary>
    private sealed class Box(string name, IReadOnlyList<string> lines, Step? step)
    {
        public string Name { get; } = name;
        public IReadOnlyList<string> Lines { get; } = lines;
        public Step? Step { get; } = step;
        public List<(Box From, string Port)> Reads { get; } = [];
        public int Layer { get; set; }
        public double Order { get; set; }
        public double X { get; set; }
        public double Y { get; set; }
    }

    /// <summary>The picture as SVG.</summary>
    public static string Draw(RecipeOutcome outcome)
    {
        List<Box> boxes = Boxes(outcome);
        Box[][] layers = Layers(boxes);
        double wide = (layers.Max(l => l.Length) * (BoxWidth + GapX)) - GapX + (2 * Margin);
        for (int i = 0; i < layers.Length; i++)
        {
            double own = (layers[i].Length * (BoxWidth + GapX)) - GapX, x = (wide - own) / 2;
            // A layer stands as a whole below what it reads.
            double[] shifts = [.. layers[i].SelectMany((b, k) => b.Reads.Select(r => r.From.X - (x + (k * (BoxWidth + GapX)))))];
            if (shifts.Length > 0) x = Math.Clamp(x + shifts.Average(), Margin, wide - Margin - own);
            foreach (Box box in layers[i])
            {
                (box.X, box.Y) = (x, Margin + (i * (BoxHeight + GapY)));
                x += BoxWidth + GapX;
            }
        }
        var svg = new Svg(wide, $"steps: {string.Join("; ", boxes.Where(b => b.Step is not null).Select(b => b.Reads.Count == 0 ? b.Name : $"{b.Name} reads {string.Join(", ", b.Reads.Select(r => r.From.Name).Distinct())}"))}", "map");
        foreach (Box box in boxes) Arrows(svg, box);
        foreach (Box box in boxes) Draw(svg, box);
        return svg.End((layers.Length * (BoxHeight + GapY)) - GapY + (2 * Margin), natural: true);
    }

    private static List<Box> Boxes(RecipeOutcome outcome)
    {
        var boxes = new Dictionary<string, Box>(StringComparer.Ordinal);
        var files = new Dictionary<string, Box>(StringComparer.Ordinal);
        foreach (Step step in RecipeCheck.InOrder(outcome.Recipe))
        {
            (StepInstance Instance, StoreEntry Entry)[] runs = [.. outcome.Steps.Where(s => s.Instance.Step == step)];
            var box = new Box(step.Name, [$"{step.Method.Card.Name}, revision {step.Method.Card.Revision}", Runs(outcome, runs.Length)], step);
            foreach ((string port, StepInput input) in step.Inputs.SelectMany(p => p.Value.Select(i => (p.Key, i))).Concat(RecipeCheck.MatrixInputs(outcome.Recipe, step).Select(i => ("matrix", i))))
            {
                if (input.Step is { } name) box.Reads.Add((boxes[name], port));
                else
                {
                    if (!files.TryGetValue(input.Text, out Box? file)) files[input.Text] = file = new Box(input.Text, [input.Text, "file or model"], null);
                    box.Reads.Add((file, port));
                }
            }
            boxes[step.Name] = box;
        }
        return [.. files.Values, .. boxes.Values];
    }

    /// <summary>The number of runs, and how it comes about.</summary>
    public static string Runs(RecipeOutcome outcome, int runs)
    {
        int seeds = outcome.Seeds.Count;
        string plural = runs == 1 ? "1 run" : $"{runs} runs";
        return runs > seeds && seeds > 1 && runs % seeds == 0 ? $"{plural}: {runs / seeds} × {seeds} seeds" : seeds > 1 && runs == seeds ? $"{plural}: one a seed" : plural;
    }

    // A step stands below all that it reads; within a layer below the middle of what it reads.
    private static Box[][] Layers(List<Box> boxes)
    {
        foreach (Box box in boxes.Where(b => b.Step is not null)) box.Layer = box.Reads.Count == 0 ? 0 : box.Reads.Max(r => r.From.Layer) + 1;
        // A file stands just above its first reader.
        foreach (Box file in boxes.Where(b => b.Step is null)) file.Layer = Math.Max(0, boxes.Where(b => b.Reads.Any(r => r.From == file)).Min(b => b.Layer) - 1);
        Box[][] layers = [.. boxes.GroupBy(b => b.Layer).OrderBy(g => g.Key).Select(g => g.ToArray())];
        for (int i = 0; i < layers.Length; i++)
        {
            for (int k = 0; k < layers[i].Length; k++)
            {
                Box box = layers[i][k];
                box.Order = box.Reads.Count == 0 ? k - (layers[i].Length / 2.0) : box.Reads.Average(r => r.From.Order);
            }
            layers[i] = [.. layers[i].OrderBy(b => b.Order)];
            for (int k = 0; k < layers[i].Length; k++) layers[i][k].Order = k - ((layers[i].Length - 1) / 2.0);
        }
        return layers;
    }

    private static void Arrows(Svg svg, Box box)
    {
        foreach (IGrouping<Box, string> read in box.Reads.GroupBy(r => r.From, r => r.Port))
        {
            double x1 = read.Key.X + (BoxWidth / 2), y1 = read.Key.Y + BoxHeight, x2 = box.X + (BoxWidth / 2), y2 = box.Y - 1, bend = Math.Max(GapY * 0.6, (y2 - y1) / 2);
            int over = box.Layer - read.Key.Layer;
            // An arrow over several layers would run through the boxes between: it leaves and arrives beside the middle, in a wider bow.
            double aside = over > 1 ? (x2 >= x1 ? 1 : -1) * ((BoxWidth / 2) + (GapX / 2)) : 0;
            string data = aside == 0
                ? $"M{Svg.At(x1)} {Svg.At(y1)}C{Svg.At(x1)} {Svg.At(y1 + bend)} {Svg.At(x2)} {Svg.At(y2 - bend)} {Svg.At(x2)} {Svg.At(y2)}"
                : $"M{Svg.At(x1)} {Svg.At(y1)}C{Svg.At(x1)} {Svg.At(y1 + GapY)} {Svg.At(x1 + aside)} {Svg.At(y1)} {Svg.At(x1 + aside)} {Svg.At(y1 + GapY)}V{Svg.At(y2 - GapY)}C{Svg.At(x1 + aside)} {Svg.At(y2)} {Svg.At(x2)} {Svg.At(y2 - GapY)} {Svg.At(x2)} {Svg.At(y2)}";
            svg.Path(data, "edge", read.Key.Step is null ? "4 3" : null, $"{box.Name} reads {read.Key.Name} as {string.Join(", ", read.Distinct())}")
                .Path($"M{Svg.At(x2 - 4.5)} {Svg.At(y2 - 8)}L{Svg.At(x2)} {Svg.At(y2)}L{Svg.At(x2 + 4.5)} {Svg.At(y2 - 8)}Z", "tip");
        }
    }

    private static void Draw(Svg svg, Box box)
    {
        svg.Open(box.Step is null ? "class=\"file\"" : $"class=\"step\" id=\"step-{Escaped.Id(box.Name)}\"", box.Name);
        svg.Rect(box.X, box.Y, BoxWidth, BoxHeight, "box", 8);
        string name = box.Step is null ? Path.GetFileName(box.Name.TrimEnd('/')) : box.Name;
        svg.Text(box.X + 12, box.Y + 21, Svg.Cut(name.Length == 0 ? box.Name : name, BoxWidth - 24, 14), "title");
        for (int i = 0; i < box.Lines.Count; i++) svg.Text(box.X + 12, box.Y + 38 + (i * 15), Svg.Cut(box.Lines[i], BoxWidth - 20), "tick");
        svg.Close();
    }
}
